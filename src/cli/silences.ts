import type { Redis } from 'ioredis';
import { z } from 'zod';
import { deliveryPolicyFrom } from '../alerts/delivery-policy.js';
import { openSilences } from '../alerts/silences.js';
import { OperatorError } from '../config/operator-error.js';
import { didYouMean, nearestName } from '../config/nearest-name.js';
import { durationText } from '../rules/model/duration.js';
import { matchesGlob } from '../rules/cel/glob.js';
import { loadRules } from './load-rules.js';
import type { LoadedRules } from './load-rules.js';
import { columns, escapeControlCharacters } from './terminal.js';

/**
 * `mdm-reflex silence add --match rule=…`: keeps quiet about what fits all of it.
 *
 * @param match - Each `label=pattern`, `*` for anything.
 * @param time - How long, `4h`.
 * @throws OperatorError for a label that no alert can have.
 */
export async function addSilence(
  redis: Redis,
  env: NodeJS.ProcessEnv,
  match: readonly string[],
  time: string,
  comment: string,
): Promise<string> {
  const parsed = durationText.safeParse(time);
  if (!parsed.success) throw new OperatorError([`--for "${time}": ${parsed.error.issues[0]?.message ?? ''}`]);
  const matchers = match.map(matcher);
  const warnings = await warningsAbout(matchers, env);
  const added = await openSilences(redis).add({
    match: Object.fromEntries(matchers),
    until: new Date(Date.now() + parsed.data).toISOString(),
    comment,
  });
  return [
    `silence ${added.id}: nobody is told of ${match.join(' and ')} until ${added.until}`,
    ...warnings.map((warning) => `warning: ${warning}`),
  ].join('\n');
}

/** The labels that the service gives to alerts. */
const LABELS = [
  'channel',
  'account',
  'rule',
  'event_type',
  'device',
  'device_name',
  'severity',
  'title',
  'service',
];

/**
 * What looks wrong about a silence and may be right.
 *
 * @throws OperatorError for a label that no alert can have: such a silence would never keep quiet.
 */
async function warningsAbout(
  matchers: readonly (readonly [string, string])[],
  env: NodeJS.ProcessEnv,
): Promise<string[]> {
  const loaded = await rulesIfThere(env);
  const known = [...LABELS, ...(loaded === undefined ? [] : labelsIn(loaded))];
  const unknown = matchers.filter(([name]) => !known.includes(name));
  // Without rule files it may be a label of one of them, unless it looks like a slip.
  const refused = unknown.filter(([name]) => loaded !== undefined || nearestName(name, known) !== undefined);
  if (refused.length > 0) {
    throw new OperatorError(
      refused.map(([name]) => {
        const meant = didYouMean(name, known);
        return `there is no label "${name}"${meant === '' ? ` (there are ${known.join(', ')})` : meant}`;
      }),
    );
  }
  const rules = loaded?.rules.map(({ source }) => source.id) ?? [];
  return [
    ...unknown.map(
      ([name]) => `the rule files could not be read: whether there is a label "${name}" is not known`,
    ),
    ...matchers
      .filter(
        ([name, pattern]) =>
          name === 'rule' && loaded !== undefined && !rules.some((rule) => matchesGlob(rule, pattern)),
      )
      .map(([, pattern]) => `no rule of the files is called "${pattern}"${didYouMean(pattern, rules)}`),
  ];
}

/** The command may run where the rule files are not. */
async function rulesIfThere(env: NodeJS.ProcessEnv): Promise<LoadedRules | undefined> {
  try {
    const loaded = await loadRules(env, undefined);
    return loaded.rules.length + loaded.channels.length === 0 ? undefined : loaded;
  } catch (error) {
    if (error instanceof OperatorError) return undefined;
    throw error;
  }
}

const labelled = z.object({ labels: z.record(z.string(), z.unknown()) });

/** The names that `notify` gives labels, and that channels group by. */
function labelsIn({ rules, channels }: LoadedRules): string[] {
  const given = rules
    .flatMap(({ source }) => source.do)
    .map(({ args }) => labelled.safeParse(args))
    .flatMap(({ data }) => Object.keys(data?.labels ?? {}));
  return [
    ...new Set([...given, ...channels.flatMap(({ settings }) => deliveryPolicyFrom(settings).groupBy)]),
  ];
}

function matcher(text: string): readonly [string, string] {
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
        .map(([name, pattern]) => `${name}=${escapeControlCharacters(pattern)}`)
        .join(' and '),
      `until ${until}`,
      escapeControlCharacters(comment),
    ]),
  ).join('\n');
}

/** `mdm-reflex silence remove ID`. */
export async function removeSilence(redis: Redis, id: string): Promise<string> {
  if (await openSilences(redis).remove(id)) return `silence ${id} is over`;
  throw new OperatorError([`there is no silence "${id}"; "mdm-reflex silence list" shows those that are`]);
}
