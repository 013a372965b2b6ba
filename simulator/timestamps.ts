/** The time zone of the account: Pacific daylight time all year, as in the reference. */
const offset = '-07:00';
const offsetMs = -7 * 60 * 60 * 1000;

/** A time in the format of the API and the webhooks: ISO 8601 with milliseconds and an offset. */
export function timestamp(date: Date): string {
  return new Date(date.getTime() + offsetMs).toISOString().replace('Z', offset);
}

/** A time in the format of the logs: `MM/DD/YY HH:MM:SS` in the time zone of the account, without an offset (reference: Logs). */
export function logTimestamp(date: Date): string {
  const [day = '', time = ''] = timestamp(date).split('T');
  const [year = '', month = '', dayOfMonth = ''] = day.split('-');
  return `${month}/${dayOfMonth}/${year.slice(2)} ${time.slice(0, 8)}`;
}
