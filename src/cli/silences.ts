import type { Redis } from 'ioredis';
import { openSilences } from '../alerts/silences.js';
import { OperatorError } from '../config/operator-error.js';
import { durationText } from '../rules/duration.js';
import { columns, harmless } from './terminal.js';

/**
 * `mdm-reflex silence add --match rule=…`: keeps quiet about what fits all of it.
 *
 * @param match - Each `label=pattern`, `*` for anything.
 * @param time - How long, `4h`.
 */
export async function addSilence(
  redis: Redis,
  match: readonly string[],
  time: string,
  comment: string,
): Promise<string> {
  const parsed = durationText.safeParse(time);
  if (!parsed.success) throw new OperatorError([`--for "${time}": ${parsed.error.issues[0]?.message ?? ''}`]);
  const added = await openSilences(redis).add({
    match: Object.fromEntries(match.map(matcher)),
    until: new Date(Date.now() + parsed.data).toISOString(),
    comment,
  });
  return `silence ${added.id}: nobody is told of ${match.join(' and ')} until ${added.until}`;
}

function matcher(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at <= 0 || at === text.length - 1) {
    throw new OperatorError([
      `--match "${text}": expected a label and what it is, such as rule=new-macs or device_name=lab-*`,
    ]);
  }
  return [text.slice(0, at), text.slice(at + 1)];
}

/** `mdm-reflex silence list`. */
export async function listSilences(redis: Redis, json: boolean): Promise<string> {
  const silences = await openSilences(redis).list(new Date());
  if (json) return JSON.stringify(silences, undefined, 2);
  if (silences.length === 0) return 'nothing is silenced';
  return columns(
    silences.map(({ id, match, until, comment }) => [
      id,
      Object.entries(match)
        .map(([name, pattern]) => `${name}=${harmless(pattern)}`)
        .join(' and '),
      `until ${until}`,
      harmless(comment),
    ]),
  ).join('\n');
}

/** `mdm-reflex silence remove ID`. */
export async function removeSilence(redis: Redis, id: string): Promise<string> {
  if (await openSilences(redis).remove(id)) return `silence ${id} is over`;
  throw new OperatorError([`there is no silence "${id}"; "mdm-reflex silence list" shows those that are`]);
}
