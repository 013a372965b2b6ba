import { element } from './dom.js';

/** @type {Intl.DateTimeFormatOptions} */
const DAY_AND_TIME = {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'short',
};
const thisYear = new Intl.DateTimeFormat(undefined, DAY_AND_TIME);
const otherYear = new Intl.DateTimeFormat(undefined, { ...DAY_AND_TIME, year: 'numeric' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'long', timeStyle: 'long' });

/**
 * A time in the zone of the reader. Shows the day and the zone, so that it can be quoted; shows the year unless it is the current one.
 *
 * @param {string} iso
 */
export function formatTime(iso) {
  const time = new Date(iso);
  // An invalid time is shown unchanged.
  if (Number.isNaN(time.getTime())) return element('span', {}, iso);
  const format = time.getFullYear() === new Date().getFullYear() ? thisYear : otherYear;
  return element('time', { datetime: iso, title: full.format(time) }, format.format(time));
}

/**
 * An event type that can wrap after its dots.
 *
 * @param {string} type
 * @returns {(Node | string)[]}
 */
export function formatType(type) {
  const [first = '', ...others] = type.split('.');
  return [first, ...others.flatMap((part) => ['.', element('wbr', {}), part])];
}

/**
 * A count with its noun.
 *
 * @param {number} count
 * @param {string} singular
 * @param {string} plural
 */
export function counted(count, singular, plural) {
  return `${count} ${count === 1 ? singular : plural}`;
}

/**
 * A value of a trace as text.
 *
 * @param {unknown} value
 */
export function formatValue(value) {
  return typeof value === 'string' ? value : (JSON.stringify(value, undefined, 2) ?? '–');
}

/**
 * A reason followed by its error code, if it has one.
 *
 * @param {string} reason
 * @param {string | undefined} code
 * @returns {(Node | string)[]}
 */
export function formatReason(reason, code) {
  if (code === undefined) return [reason];
  return [
    reason,
    ' ',
    element('code', { class: 'error-code', title: 'Error code, see docs/errors.md' }, code),
  ];
}

/**
 * The device of an event as the command line names it: its serial number, else its id, else its UDID.
 *
 * @param {Readonly<Record<string, unknown>>} data
 */
export function formatDevice(data) {
  const device = data['device'];
  if (typeof device !== 'object' || device === null) return undefined;
  if ('serial_number' in device && typeof device.serial_number === 'string' && device.serial_number !== '')
    return device.serial_number;
  if ('id' in device && typeof device.id === 'number') return `#${device.id}`;
  return 'udid' in device && typeof device.udid === 'string' ? device.udid : undefined;
}
