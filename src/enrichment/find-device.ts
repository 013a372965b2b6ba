import { alsoRecordWarnings } from '../simplemdm/answer-warnings.js';
import type { AnswerWarning } from '../simplemdm/answer-warnings.js';
import type { SimpleMdm } from '../simplemdm/client.js';
import type { Device } from '../simplemdm/devices.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import type { CallIdentity } from '../simplemdm/errors.js';

/**
 * Refuses to say that no record has a value in a field when one of the records could not be read.
 *
 * @param identity - The field, such as `serial_number`.
 * @throws SimpleMdmError of kind `malformed`.
 */
export function refuseIfHidden(unread: readonly AnswerWarning[], call: CallIdentity, identity: string): void {
  const hidden = unread.find(({ field }) => [identity, 'id', 'attributes'].includes(field ?? ''));
  if (hidden === undefined) return;
  const detail = `${hidden.text}; the record may be the device`;
  throw new SimpleMdmError({ ...call, kind: 'malformed', detail, mayHaveTakenEffect: false });
}

/** How to recognize a device among the records that a search finds. */
interface Wanted {
  readonly search: string;
  readonly isWanted: (device: Device) => boolean;
  /** What the records have in common, for the warning. */
  readonly what: string;
  readonly field: 'serial_number' | 'unique_identifier';
}

interface Access {
  readonly api: SimpleMdm;
  readonly account: string;
}

/**
 * The record of the device with a serial number; null when there is none. A device that enrolled again can have several records: the
 * enrolled one is taken, then the one with the latest `enrolled_at`, then the one with the highest id.
 *
 * @param warn - Called when there are several, with the ids of the others.
 * @throws SimpleMdmError of kind `malformed` when no record has the serial number and one could not be read; of kind `incomplete` when the list does not come to an end and no enrolled record was in it.
 */
export function deviceWithSerialNumber(
  access: Access,
  serialNumber: string,
  warn: (text: string) => void,
): Promise<Device | null> {
  const isWanted = ({ attributes }: Device): boolean =>
    isSameSerialNumber(attributes.serial_number, serialNumber);
  return bestOf(
    access,
    { search: serialNumber, isWanted, what: 'this serial number', field: 'serial_number' },
    warn,
  );
}

/** Like {@link deviceWithSerialNumber}, by the UDID that the device has reported. */
export function deviceWithUdid(
  access: Access,
  udid: string,
  warn: (text: string) => void,
): Promise<Device | null> {
  const isWanted = ({ attributes }: Device): boolean =>
    attributes.unique_identifier?.toUpperCase() === udid.toUpperCase();
  return bestOf(access, { search: udid, isWanted, what: 'this UDID', field: 'unique_identifier' }, warn);
}

async function bestOf(
  { api, account }: Access,
  { search, isWanted, what, field }: Wanted,
  warn: (text: string) => void,
): Promise<Device | null> {
  const found: Device[] = [];
  const unread: AnswerWarning[] = [];
  try {
    await alsoRecordWarnings(unread, async () => {
      // The search also matches other fields, and parts of them.
      for await (const device of api.devices.list({ search, includeAwaitingEnrollment: true })) {
        if (isWanted(device)) found.push(device);
      }
    });
  } catch (error) {
    const isIncomplete = error instanceof SimpleMdmError && error.failure.kind === 'incomplete';
    // An enrolled record is the device, whatever else the list holds.
    if (!isIncomplete || !found.some(isEnrolled)) throw error;
  }
  const [best, ...others] = found.sort(byPreference);
  if (best === undefined) {
    refuseIfHidden(unread, { method: 'GET', path: '/devices', account }, field);
    return null;
  }
  if (others.length > 0) {
    const ids = others
      .map(({ id, attributes }) => `${id} (${attributes.status ?? 'status unknown'})`)
      .join(', ');
    warn(
      `${found.length} device records have ${what}: ${best.id} (${best.attributes.status ?? 'status unknown'}) is used, not ${ids}`,
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
