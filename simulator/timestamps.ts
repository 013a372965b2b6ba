/** The account's time zone. The reference writes its times as Pacific daylight time; so does the simulator, all year. */
const offset = '-07:00';
const offsetMs = -7 * 60 * 60 * 1000;

/** A time as the API and the webhooks write it: ISO 8601 with milliseconds and an offset. */
export function timestamp(date: Date): string {
  return new Date(date.getTime() + offsetMs).toISOString().replace('Z', offset);
}

/** A time as the logs write it: `MM/DD/YY HH:MM:SS` in the account's time zone, which is not said (reference: Logs). */
export function logTimestamp(date: Date): string {
  const [day = '', time = ''] = timestamp(date).split('T');
  const [year = '', month = '', dayOfMonth = ''] = day.split('-');
  return `${month}/${dayOfMonth}/${year.slice(2)} ${time.slice(0, 8)}`;
}
