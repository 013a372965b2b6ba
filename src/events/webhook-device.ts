import { isJsonObject } from './envelope.js';
import { shown } from './oddity.js';
import type { Oddity } from './oddity.js';

/** The data of a webhook with its device in the documented place and form, as far as that is possible without a guess. */
export interface WebhookData {
  readonly data: Record<string, unknown>;
  readonly oddities: readonly Oddity[];
  /** Whether the device was found beside `data`. */
  readonly usedTopLevel: boolean;
}

/** Types of webhooks that are about a device with a SimpleMDM id, and about hardware, which has only a serial number. */
const isAboutDevice = (type: string): boolean => type.startsWith('device.');
const isAboutHardware = (type: string): boolean => type.startsWith('abm.device.');

/**
 * Puts the device of a webhook into `data.device`, and converts what converts without loss: an id that is a text, a serial number that is a
 * number. The rest stays as it was sent, and is flagged.
 */
export function readDevice(type: string, data: Record<string, unknown>, topLevel: unknown): WebhookData {
  const found = findDevice(type, data, topLevel);
  const expectsDevice = isAboutDevice(type) || isAboutHardware(type);
  if (found === undefined) {
    const text = `data.device is ${shown(data['device'])}: the webhook names no device`;
    return { data, oddities: expectsDevice ? [{ kind: 'device', text }] : [], usedTopLevel: false };
  }
  const { device, place } = found;
  const oddities: Oddity[] = [];
  if (place !== undefined) oddities.push({ kind: 'device', text: `the device was found in ${place}` });
  const id = numberFrom(device['id']);
  if (id === undefined) {
    const isExpected = isAboutDevice(type) || (device['id'] ?? null) !== null;
    const text = `data.device.id is ${shown(device['id'])}, not the id of a device`;
    if (isExpected) oddities.push({ kind: 'device_id', text });
  } else if (id !== device['id']) {
    oddities.push({ kind: 'device_id', text: `data.device.id is ${shown(device['id'])}, read as ${id}` });
  }
  const serialNumber = device['serial_number'];
  const serialText = typeof serialNumber === 'number' ? String(serialNumber) : undefined;
  const hasSerial = typeof serialNumber === 'string' && serialNumber.trim() !== '';
  if (serialText !== undefined) {
    const text = `data.device.serial_number is the number ${serialText}, read as a text`;
    oddities.push({ kind: 'serial_number', text });
  } else if (!hasSerial && ((serialNumber ?? null) !== null || isAboutHardware(type))) {
    const text = `data.device.serial_number is ${shown(serialNumber)}, not a serial number`;
    oddities.push({ kind: 'serial_number', text });
  }
  const udid = device['udid'] ?? null;
  if (udid !== null && (typeof udid !== 'string' || udid.trim() === '')) {
    oddities.push({ kind: 'udid', text: `data.device.udid is ${shown(udid)}, not a UDID` });
  }
  const changed = {
    ...(id !== undefined && id !== device['id'] && { id }),
    ...(serialText !== undefined && { serial_number: serialText }),
  };
  const isSame = place === undefined && Object.keys(changed).length === 0;
  return {
    // An unchanged object is not copied: a copy would lose a member called "__proto__".
    data: isSame ? data : withMember(data, 'device', { ...device, ...changed }),
    oddities,
    usedTopLevel: place === TOP_LEVEL,
  };
}

const TOP_LEVEL = 'the field "device" beside data';

interface FoundDevice {
  readonly device: Record<string, unknown>;
  /** Where it was found, when that is not `data.device`. */
  readonly place?: string;
}

function findDevice(type: string, data: Record<string, unknown>, topLevel: unknown): FoundDevice | undefined {
  const given = data['device'] ?? null;
  const device = objectFrom(given);
  if (device !== undefined) return { device };
  const [only, ...others] = listFrom(given);
  const single = others.length === 0 ? objectFrom(only) : undefined;
  if (single !== undefined) return { device: single, place: 'a list with one entry, data.device' };
  if (numberFrom(given) !== undefined) return { device: { id: given }, place: 'the number data.device' };
  const beside = objectFrom(topLevel);
  if (beside !== undefined) return { device: beside, place: TOP_LEVEL };
  const expectsDevice = isAboutDevice(type) || isAboutHardware(type);
  const { id, udid, serial_number: serialNumber } = data;
  if (given !== null || !expectsDevice || (typeof udid !== 'string' && typeof serialNumber !== 'string'))
    return undefined;
  const members = Object.entries({ id, udid, serial_number: serialNumber });
  return {
    device: Object.fromEntries(members.filter(([, value]) => value !== undefined)),
    place: 'data itself',
  };
}

/** The entries of a list; none for another value. */
export function listFrom(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function objectFrom(value: unknown): Record<string, unknown> | undefined {
  return isJsonObject(value) ? value : undefined;
}

/** A positive whole number, also when it is written as a text. */
export function numberFrom(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\s*\d{1,16}\s*$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number > 0 ? number : undefined;
}

/** A copy with one member changed. `Object.fromEntries` keeps a member called "__proto__". */
function withMember(object: Record<string, unknown>, name: string, value: unknown): Record<string, unknown> {
  return Object.fromEntries([...Object.entries(object).filter(([other]) => other !== name), [name, value]]);
}
