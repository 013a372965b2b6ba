import { alsoRecordWarnings } from '../simplemdm/answer-warnings.js';
import type { AnswerWarning } from '../simplemdm/answer-warnings.js';
import type { SimpleMdm } from '../simplemdm/client.js';
import type { Device } from '../simplemdm/devices.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import type { CallIdentity } from '../simplemdm/errors.js';

/** Fields without which a record cannot be told apart. */
const HIDES_SERIAL_NUMBER = new Set(['id', 'attributes', 'serial_number']);

/**
 * Refuses to say that no record has a serial number when one of the records could not be read.
 *
 * @throws SimpleMdmError of kind `malformed`.
 */
export function refuseIfHidden(unread: readonly AnswerWarning[], call: CallIdentity): void {
  const hidden = unread.find(({ field }) => HIDES_SERIAL_NUMBER.has(field ?? ''));
  if (hidden === undefined) return;
  const detail = `${hidden.text}; the record may be the device`;
  throw new SimpleMdmError({ ...call, kind: 'malformed', detail, mayHaveTakenEffect: false });
}

/**
 * The record of the device with a serial number; null when there is none. A device that enrolled again can have several records: the
 * enrolled one is taken, then the one with the latest `enrolled_at`, then the one with the highest id.
 *
 * @param warn - Called when there are several, with the ids of the others.
 * @throws SimpleMdmError of kind `malformed` when no record has the serial number and one could not be read; of kind `incomplete` when the list does not come to an end and no enrolled record was in it.
 */
export async function deviceWithSerialNumber(
  { api, account }: { readonly api: SimpleMdm; readonly account: string },
  serialNumber: string,
  warn: (text: string) => void,
): Promise<Device | null> {
  const found: Device[] = [];
  const unread: AnswerWarning[] = [];
  try {
    await alsoRecordWarnings(unread, async () => {
      // The search also matches other fields, and parts of serial numbers.
      for await (const device of api.devices.list({
        search: serialNumber,
        includeAwaitingEnrollment: true,
      })) {
        if (isSameSerialNumber(device.attributes.serial_number, serialNumber)) found.push(device);
      }
    });
  } catch (error) {
    const isIncomplete = error instanceof SimpleMdmError && error.failure.kind === 'incomplete';
    // An enrolled record is the device, whatever else the list holds.
    if (!isIncomplete || !found.some(isEnrolled)) throw error;
  }
  const [best, ...others] = found.sort(byPreference);
  if (best === undefined) {
    refuseIfHidden(unread, { method: 'GET', path: '/devices', account });
    return null;
  }
  if (others.length > 0) {
    const ids = others
      .map(({ id, attributes }) => `${id} (${attributes.status ?? 'status unknown'})`)
      .join(', ');
    warn(
      `${found.length} device records have this serial number: ${best.id} (${best.attributes.status ?? 'status unknown'}) is used, not ${ids}`,
    );
  }
  return best;
}

/** Whether a serial number of a record is the wanted one. People type them in lower case. */
export function isSameSerialNumber(found: string | null | undefined, wanted: string): boolean {
  return found?.trim().toUpperCase() === wanted.trim().toUpperCase();
}

function isEnrolled({ attributes }: Device): boolean {
  return attributes.status === 'enrolled';
}

/** The preferred record first. */
function byPreference(one: Device, other: Device): number {
  const enrolled = Number(isEnrolled(other)) - Number(isEnrolled(one));
  if (enrolled !== 0) return enrolled;
  return enrolledAt(other) - enrolledAt(one) || other.id - one.id;
}

function enrolledAt({ attributes }: Device): number {
  const time = Date.parse(attributes.enrolled_at ?? '');
  return Number.isNaN(time) ? 0 : time;
}
