import { notFound, ok, type ApiResponse } from '../api/response.js';
import { numberInPath, type Call } from '../api/route.js';
import type { Device } from '../fleet/device.js';
import type { Fleet } from '../fleet/fleet.js';

/** Records that can be looked up by id. */
export interface Records<R> {
  get(id: number): R | undefined;
}

/** Looks up devices for a change. */
export function editableDevices({ devices }: Fleet): Records<Device> {
  return { get: (id) => devices.edit(id) };
}

/** Looks up the record with the id in the path and passes it to `handle`; 404 without such a record. */
export function withRecord<R>(
  call: Call,
  records: Records<R>,
  handle: (record: R) => ApiResponse,
  name = 'id',
): ApiResponse {
  const id = numberInPath(call, name);
  const record = id === undefined ? undefined : records.get(id);
  return record === undefined ? notFound() : handle(record);
}

/** Responds with the record with the id in the path (every "Retrieve one" of the reference). */
export function retrieve<R>(call: Call, records: Records<R>, show: (record: R) => unknown): ApiResponse {
  return withRecord(call, records, (record) => ok({ data: show(record) }));
}
