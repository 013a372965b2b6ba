import { notFound, ok, type Answer } from '../api/answer.js';
import { numberInPath, type Call } from '../api/route.js';
import type { Device } from '../fleet/device.js';
import type { Fleet } from '../fleet/fleet.js';

/** Where records are found by their id. */
export interface Records<R> {
  get(id: number): R | undefined;
}

/** The devices for a call that changes one. */
export function toChange({ devices }: Fleet): Records<Device> {
  return { get: (id) => devices.edit(id) };
}

/** Looks up the record that `:id`, or another number in the path, names and answers with it; 404 where there is none. */
export function withRecord<R>(
  call: Call,
  records: Records<R>,
  answer: (record: R) => Answer,
  name = 'id',
): Answer {
  const id = numberInPath(call, name);
  const record = id === undefined ? undefined : records.get(id);
  return record === undefined ? notFound() : answer(record);
}

/** Answers with the one record that the path names (every "Retrieve one" of the reference). */
export function retrieve<R>(call: Call, records: Records<R>, show: (record: R) => unknown): Answer {
  return withRecord(call, records, (record) => ok({ data: show(record) }));
}
