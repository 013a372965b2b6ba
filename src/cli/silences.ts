import type { Shards } from '../queues/shards.js';
import { z } from 'zod';
import { deliveryPolicyFrom } from '../alerts/delivery-policy.js';
import { openSilences } from '../alerts/silences.js';
import { OperatorError } from '../config/operator-error.js';
import { didYouMean, nearestName } from '../errors/did-you-mean.js';
import { durationText } from '../rules/model/duration.js';
import { matchesGlob } from '../rules/cel/glob.js';
import { loadRules } from './load-rules.js';
import type { LoadedRules } from './load-rules.js';
import { columns, escapeControlCharacters, jsonText } from './terminal.js';

/**
 * `mdm-reflex silence add --match rule=…`: suppresses alerts that match all patterns.
 *
 * @param match - Each `label=pattern`, with `*` as a wildcard.
 * @param duration - Such as `4h`.
 * @throws OperatorError for an invalid option, or a label that no alert can have.
 */
export async function addSilence(
  shards: Shards,
  env: NodeJS.ProcessEnv,
  match: readonly string[],
  duration: string,
  comment: string,
): Promise<string> {
  const parsed = durationText.safeParse(duration);
  if (!parsed.success) throw invalidOption(`--for "${duration}": ${parsed.error.issues[0]?.message ?? ''}`);
  const matchers = match.map(parseMatcher);
  const warnings = await checkMatchers(matchers, env);
  const added = await openSilences(shards.home).add({
    match: Object.fromEntries(matchers),
    until: new Date(Date.now() + parsed.data).toISOString(),
    comment,
  });
  return [
    `silence ${added.id}: no alerts for ${match.join(' and ')} until ${added.until}`,
    ...warnings.map((warning) => `warning: ${warning}`),
  ].join('\n');
}

/** The labels that alerts have without `labels` of `notify`. */
const BUILT_IN_LABELS = [
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
 * Checks labels and rule names against the rule files, and returns warnings.
 *
 * @throws OperatorError for a label that no alert can have: such a silence has no effect.
 */
async function checkMatchers(
  matchers: readonly (readonly [string, string])[],
  env: NodeJS.ProcessEnv,
): Promise<string[]> {
  const loaded = await loadRulesIfPresent(env);
  const known = [...BUILT_IN_LABELS, ...(loaded === undefined ? [] : labelsIn(loaded))];
  const unknown = matchers.filter(([name]) => !known.includes(name));
  // Without rule files, only likely typos are errors: the label may exist where the service runs.
  const errors = unknown.filter(([name]) => loaded !== undefined || nearestName(name, known) !== undefined);
  if (errors.length > 0) {
    throw new OperatorError(
      errors.map(([name]) => {
        const suggestion = didYouMean(name, known) || ` (labels: ${known.join(', ')})`;
        return { code: 'alert/unknown-label', message: `there is no label "${name}"${suggestion}` };
      }),
    );
  }
  const rules = loaded?.rules.map(({ source }) => source.id) ?? [];
  return [
    ...unknown.map(([name]) => `cannot read the rule files, so the label "${name}" is not checked`),
    ...matchers
      .filter(
        ([name, pattern]) =>
          name === 'rule' && loaded !== undefined && !rules.some((rule) => matchesGlob(rule, pattern)),
      )
      .map(([, pattern]) => `no rule matches "${pattern}"${didYouMean(pattern, rules)}`),
  ];
}

/** The command may run on a machine without the rule files. */
async function loadRulesIfPresent(env: NodeJS.ProcessEnv): Promise<LoadedRules | undefined> {
  try {
    const loaded = await loadRules(env, undefined);
    return loaded.rules.length + loaded.channels.length === 0 ? undefined : loaded;
  } catch (error) {
    if (error instanceof OperatorError) return undefined;
    throw error;
  }
}

const argsWithLabels = z.object({ labels: z.record(z.string(), z.unknown()) });

/** The label names in `labels` of `notify` and in `group_by` of channels. */
function labelsIn({ rules, channels }: LoadedRules): string[] {
  const inRules = rules
    .flatMap(({ source }) => [...source.do, ...(source.onClear ?? [])])
    .map(({ args }) => argsWithLabels.safeParse(args))
    .flatMap(({ data }) => Object.keys(data?.labels ?? {}));
  return [
    ...new Set([...inRules, ...channels.flatMap(({ settings }) => deliveryPolicyFrom(settings).groupBy)]),
  ];
}

function parseMatcher(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at <= 0 || at === text.length - 1) {
    throw invalidOption(
      `--match "${text}": expected label=pattern, such as rule=new-macs or device_name=lab-*`,
    );
  }
  return [text.slice(0, at), text.slice(at + 1)];
}

const invalidOption = (message: string): OperatorError =>
  new OperatorError([{ code: 'alert/invalid-silence', message }]);

/** `mdm-reflex silence list`: the active silences. */
export async function listSilences(shards: Shards, json: boolean): Promise<string> {
  const silences = await openSilences(shards.home).list(new Date());
  if (json) return jsonText(silences);
  if (silences.length === 0) return 'no active silences';
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

/**
 * `mdm-reflex silence remove ID`: ends a silence.
 *
 * @throws OperatorError when there is no such silence.
 */
export async function removeSilence(shards: Shards, id: string): Promise<string> {
  if (await openSilences(shards.home).remove(id)) return `silence ${id} removed`;
  const message = `there is no silence "${id}"; "mdm-reflex silence list" shows the active silences`;
  throw new OperatorError([{ code: 'alert/silence-not-found', message }]);
}
