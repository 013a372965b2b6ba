import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { secretsOf } from '../rules/model/rule-secrets.js';
import { openRunSecrets, sealingKey } from '../runs/run-secrets.js';
import { runSteps } from '../runs/run-steps.js';
import { pendingStep } from '../runs/step-records.js';
import { DEFAULT_ACCOUNT, readAccounts } from '../config/accounts.js';
import type { Account } from '../config/accounts.js';
import { didYouMean } from '../errors/did-you-mean.js';
import { OperatorError } from '../config/operator-error.js';
import { readSettings } from '../config/settings.js';
import { evaluateRules } from '../runs/evaluate-rules.js';
import type { Decision } from '../runs/evaluate-rules.js';
import { deviceWithSerialNumber } from '../enrichment/find-device.js';
import { createFactFetcher } from '../enrichment/fetch-facts.js';
import type { Event } from '../events/envelope.js';
import { warningsOf } from '../events/oddity.js';
import { parseJson } from '../events/parse-json.js';
import type { ParsedJson } from '../events/parse-json.js';
import { readWebhook } from '../events/read-webhook.js';
import { KNOWN_TYPES } from '../events/webhook-types.js';
import { statusOf } from '../journal/trace.js';
import type { FactTrace, RunTrace, Trace } from '../journal/trace.js';
import { isScheduleType } from '../rules/model/event-pattern.js';
import type { Rule } from '../rules/model/rule.js';
import { openLookups } from '../lookups/lookups.js';
import { createSimpleMdm } from '../simplemdm/client.js';
import { createCachedLists } from '../simplemdm/cached-lists.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { errorText } from '../telemetry/error-text.js';
import { createLogger } from '../telemetry/logger.js';
import { createRedaction } from '../telemetry/redaction.js';
import { findEvent } from './find-event.js';
import { formatTrace } from './format-trace.js';
import { loadRules } from './load-rules.js';
import type { LoadedRules } from './load-rules.js';
import { withRedis } from './with-redis.js';
import type { Paint } from './terminal.js';
import { jsonText } from './terminal.js';

/** The options of `mdm-reflex explain`. */
export const explainOptions = z.object({
  event: z.string(),
  device: z
    .string()
    .regex(
      /^(?:[1-9]\d{0,14}|[A-Za-z0-9]{8,20})$/,
      'expected the SimpleMDM id or the serial number of a device',
    )
    .optional(),
  rules: z.string().optional(),
  account: z.string().default(DEFAULT_ACCOUNT),
  at: z.iso
    .datetime({ offset: true, error: 'expected a time such as 2026-01-31T08:00:00Z' })
    .transform((time) => new Date(time))
    .optional(),
  json: z.boolean().default(false),
});

/** The parsed options of `mdm-reflex explain`. */
export type ExplainOptions = z.output<typeof explainOptions>;

/**
 * `mdm-reflex explain`: shows what the rules would do with an event, and why: the verdict of each rule with the deciding part of its
 * condition, and the requests that its steps would send. Uses the code of a real run: fetches facts, and sends nothing.
 *
 * @throws OperatorError for invalid settings or rules, an unknown event, device or account, and a failed lookup.
 */
export async function explain(
  env: NodeJS.ProcessEnv,
  options: ExplainOptions,
  paint: Paint,
): Promise<string> {
  const settings = readSettings(env, []);
  const accounts = readAccounts(settings, env, ['worker']);
  const account = accounts.get(options.account);
  if (account?.apiKey === undefined) {
    throw new OperatorError([
      options.account === DEFAULT_ACCOUNT && accounts.has(DEFAULT_ACCOUNT)
        ? {
            code: 'settings/missing',
            message: 'SIMPLEMDM_API_KEY: not set; expected the API key from SimpleMDM (Settings, API)',
          }
        : {
            code: 'cli/unknown-account',
            message: `there is no account "${options.account}" with an API key; choose one of ${[...accounts.keys()].join(', ')} with --account`,
          },
    ]);
  }
  const compiled = await loadRules(env, options.rules);
  const { redact } = createRedaction([account.apiKey, ...secretsOf(compiled, env)]);
  const { at } = options;
  const now = at === undefined ? () => new Date() : () => at;
  const event = await eventFrom(env, options, account, compiled.rules, now());
  const trace = await traceOf(event, account, compiled, env, now);
  if (options.json) return redact(jsonText(trace));
  const text = formatTrace(trace, paint);
  return redact(text.includes(STEP_OUTPUT) ? `${text}\n\n${STEP_OUTPUT_NOTE}` : text);
}

/** Steps have no output when nothing is sent, so templates show the name of the output. */
const STEP_OUTPUT = '{{ steps.';
const STEP_OUTPUT_NOTE = '{{ steps.… }} is the output of an earlier step. It is known only in a real run.';

async function traceOf(
  event: Event,
  { name, apiKey = '', baseUrl }: Account,
  { rules, lookups }: Pick<LoadedRules, 'rules' | 'lookups'>,
  env: NodeJS.ProcessEnv,
  now: () => Date,
): Promise<Trace> {
  const api = createSimpleMdm({ account: name, apiKey, baseUrl });
  const lists = createCachedLists(api);
  const logger = createLogger({ level: 'silent', redact: (text) => text });
  const stop = new AbortController().signal;
  const facts: Record<string, FactTrace> = {};
  const fetcher = createFactFetcher({
    event,
    api,
    lists,
    lookups: openLookups({ sources: () => lookups, env, logger, signal: stop }),
    known: new Map(),
    onFact: (fact, record) => {
      facts[fact] = record;
      return Promise.resolve();
    },
  });
  const decisions = await evaluateRules(event, rules, fetcher, now, now().getTime());
  const at = now().toISOString();
  const runs: RunTrace[] = [];
  for (const { rule } of decisions.filter(({ verdict }) => verdict === 'matched')) {
    let steps = rule.steps.map(({ source }) => pendingStep(source));
    const result = await runSteps({
      event,
      rule,
      steps,
      facts: fetcher,
      api,
      lists,
      logger,
      env,
      // A dry run makes no request, so it receives no secrets.
      secrets: openRunSecrets(sealingKey(apiKey), event.id, []),
      dryRun: true,
      claimFor: () => () => Promise.resolve(true),
      saveSteps: (saved) => {
        steps = [...saved];
        return Promise.resolve(steps);
      },
      expectEvent: () => Promise.resolve(undefined),
      stop,
      // No later attempt: the command does not wait.
      retryAfter: () => undefined,
      superseded: () => Promise.resolve(undefined),
      dispatchAlert: () => Promise.resolve(),
      emitEvent: () => Promise.resolve(),
      now,
      runKey: `${event.id}.${rule.source.id}`,
      countStep: () => undefined,
    });
    const run = { rule: rule.source.id, plannedAt: at, steps };
    if (result.kind === 'completed') runs.push({ ...run, status: 'completed' });
    else {
      const code = 'code' in result ? result.code : undefined;
      runs.push({ ...run, status: 'failed', reason: result.reason, ...(code !== undefined && { code }) });
    }
  }
  await fetcher.reportUsedRows();
  const processing = { state: 'completed' as const, attempts: 1, at };
  return {
    ...event,
    status: statusOf(processing, runs),
    rules: runs.map(({ rule }) => rule),
    processing,
    facts,
    decisions: decisions.map((decision) => ruleTraceOf(decision, at)),
    runs,
    alerts: [],
  };
}

function ruleTraceOf(
  { rule: { source }, verdict, reason: why, code, inventory }: Decision,
  decidedAt: string,
) {
  const until = inventory === undefined ? undefined : new Date(inventory.until).toISOString();
  const reason = until === undefined ? why : `${why}; the service looks again until ${until}`;
  return { rule: source.id, verdict, reason, ...(code !== undefined && { code }), decidedAt };
}

/** The event of `--event`: a webhook in a file, a type with a device, or an event of the journal. */
async function eventFrom(
  env: NodeJS.ProcessEnv,
  { event, device, account }: ExplainOptions,
  credentials: Account,
  rules: readonly Rule[],
  now: Date,
): Promise<Event> {
  const at = now.toISOString();
  const base = { id: 'explained', account, receivedAt: at, source: 'webhook' as const };
  if (existsSync(event)) return { ...base, ...(await webhookFrom(event, now)) };
  if (/^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/.test(event) || KNOWN_TYPES.includes(event)) {
    checkType(event, device, rules);
    // Rules ignore webhooks of a schedule type, so the event counts as a tick.
    const source = isScheduleType(event) ? 'schedule' : 'webhook';
    const data = device === undefined ? {} : { device: await deviceReference(device, event, credentials) };
    return { ...base, source, type: event, at, data };
  }
  const found = await withRedis(env, (shards) => findEvent(shards, event));
  if (found !== undefined) {
    const data =
      device === undefined ? found.data : { device: await deviceReference(device, found.type, credentials) };
    return { ...found, data };
  }
  throw new OperatorError([
    {
      code: 'cli/unknown-event',
      message: `--event "${event}": expected a file with a webhook, the id of an event ("mdm-reflex events" lists the events), or a type such as device.enrolled with --device`,
    },
  ]);
}

/** An unknown type is a typo when it is close to a SimpleMDM type or to a type in a rule. */
function checkType(type: string, device: string | undefined, rules: readonly Rule[]): void {
  const inRules = rules.flatMap(({ source }) => source.on).filter((pattern) => !pattern.includes('*'));
  const known = [...KNOWN_TYPES, ...inRules];
  const hint = known.includes(type) ? '' : didYouMean(type, known);
  if (hint !== '') throw invalidOption(`--event ${type}: unknown event type${hint}`);
  if (device === undefined && /^(?:device|abm\.device)\./.test(type)) {
    const identifier = type.startsWith('abm.') ? 'serial number' : 'SimpleMDM id or serial number';
    throw new OperatorError([
      {
        code: 'cli/missing-argument',
        message: `--event ${type} needs a device; add --device with the ${identifier} of the device`,
      },
    ]);
  }
}

/** The device as a webhook refers to it. */
async function deviceReference(
  device: string,
  type: string,
  { name, apiKey = '', baseUrl }: Account,
): Promise<Record<string, unknown>> {
  if (/^\d+$/.test(device)) return { id: Number(device) };
  // A device in Apple Business Manager may not be in SimpleMDM yet.
  if (type.startsWith('abm.')) return { serial_number: device };
  const api = createSimpleMdm({ account: name, apiKey, baseUrl });
  try {
    const found = await deviceWithSerialNumber({ api, account: name }, device, () => undefined);
    if (found !== null) return { id: found.id, serial_number: found.attributes.serial_number ?? device };
  } catch (error) {
    if (error instanceof SimpleMdmError)
      throw new OperatorError([{ code: error.code, message: `--device ${device}: ${error.message}` }]);
    throw error;
  }
  throw new OperatorError([
    {
      code: 'cli/unknown-device',
      message: `--device ${device}: no device has this serial number; expected the SimpleMDM id or the serial number of a device`,
    },
  ]);
}

/** The webhook in a file, read as the receiver reads it. */
async function webhookFrom(
  path: string,
  now: Date,
): Promise<Pick<Event, 'type' | 'at' | 'data' | 'warnings' | 'original'>> {
  let json: ParsedJson;
  try {
    json = parseJson(await readFile(path, 'utf8'));
  } catch (error) {
    throw invalidOption(`--event ${path}: ${errorText(error)}; expected a webhook as JSON`);
  }
  const read = readWebhook(json.value, now);
  if ('problem' in read) throw invalidOption(`--event ${path}: ${read.problem}`);
  const warnings = warningsOf([...json.oddities, ...read.oddities]);
  const { webhook, original } = read;
  return {
    ...webhook,
    ...(warnings.length > 0 && { warnings }),
    ...(Object.keys(original).length > 0 && { original }),
  };
}

function invalidOption(...messages: readonly string[]): OperatorError {
  return new OperatorError(messages.map((message) => ({ code: 'cli/invalid-option', message })));
}
