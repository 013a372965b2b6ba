import { randomBytes } from 'node:crypto';
import { logTimestamp } from '../timestamps.js';
import type { Device } from './device.js';
import type { Fleet, Log } from './fleet.js';

/** Writes a log entry about a device (reference: Logs). */
export function writeDeviceLog(
  fleet: Fleet,
  device: Device,
  entry: { event_type: string; metadata?: Log['metadata']; source?: 'device' | 'api' },
): void {
  const { event_type, metadata = {}, source = 'device' } = entry;
  const account = { type: 'account', id: 1, ...(event_type === 'script.ran' && { api_key: 'Test API' }) };
  const { serial_number, unique_identifier } = device.attributes;
  addLog(fleet, {
    namespace: 'device',
    event_type,
    level: 'info',
    source,
    metadata,
    relationships: {
      account: { data: account },
      device: { data: { type: 'device', serial_number, udid: unique_identifier } },
    },
  });
}

/** Writes a log entry about an action of an admin or of the API. */
export function writeAdminLog(fleet: Fleet, event_type: string, metadata: Log['metadata']): void {
  addLog(fleet, {
    namespace: 'admin',
    event_type,
    level: 0,
    source: 'api',
    metadata,
    relationships: { account: { data: { type: 'account', id: 1 } } },
  });
}

function addLog(fleet: Fleet, entry: Omit<Log, 'id' | 'at'>): void {
  const now = fleet.clock.now();
  const id = nextLogId(fleet.logs.size, now);
  fleet.logs.set(id, { ...entry, id, at: logTimestamp(now) });
}

/**
 * An id that sorts after all earlier ones, so that a client can follow the log by ascending id: `f`, which sorts after the entries of
 * the reference, then time and count.
 */
function nextLogId(count: number, now: Date): string {
  const time = now.getTime().toString(16).padStart(11, '0');
  return `f${time}${count.toString(16).padStart(8, '0')}${randomBytes(6).toString('hex')}`;
}
