import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { secretsOf } from '../rules/model/rule-secrets.js';
import { runSteps } from '../runs/run-steps.js';
import { pendingStep } from '../runs/step-records.js';
import { DEFAULT_ACCOUNT, readAccounts } from '../config/accounts.js';
import type { Account } from '../config/accounts.js';
import { didYouMean } from '../config/nearest-name.js';
import { OperatorError } from '../config/operator-error.js';
import { readSettings } from '../config/settings.js';
import { evaluateRules } from '../runs/evaluate-rules.js';
import type { Decision } from '../runs/evaluate-rules.js';
import { createFactFetcher } from '../enrichment/fetch-facts.js';
import { webhookEnvelope } from '../events/envelope.js';
import type { Event } from '../events/envelope.js';
import { KNOWN_TYPES } from '../events/webhook-types.js';
import { findTrace } from '../journal/find-events.js';
import { statusOf } from '../journal/trace.js';
import type { FactTrace, RunTrace, Trace } from '../journal/trace.js';
import { isScheduleType } from '../rules/model/event-pattern.js';
import type { Rule } from '../rules/model/rule.js';
import { createSimpleMdm } from '../simplemdm/client.js';
import { createCachedLists } from '../simplemdm/cached-lists.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { errorText } from '../telemetry/error-text.js';
import { createLogger } from '../telemetry/logger.js';
import { createRedaction } from '../telemetry/redaction.js';
import { formatTrace } from './format-trace.js';
import { loadRules } from './load-rules.js';
import { withRedis } from './with-redis.js';
import type { Paint } from './terminal.js';

/** `mdm-reflex explain`, as the command line has it. */
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

/** What is to be explained. */
export type ExplainOptions = z.output<typeof explainOptions>;

/**
 * Says what the rules would do with an event, and why: each rule with its verdict and the part of its condition that decided, the steps
 * with what they would send. Facts are really looked up; nothing is sent. It is the way of a real event but for the last send.
 *
 * @throws OperatorError for settings, rules, an account or an event that cannot be used.
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
        ? 'SIMPLEMDM_API_KEY: not set; expected the API key from SimpleMDM (Settings, API)'
        : `there is no account "${options.account}" with an API key: name one of ${[...accounts.keys()].join(', ')} with --account`,
    ]);
  }
  const compiled = await loadRules(env, options.rules);
  const { redact } = createRedaction([account.apiKey, ...secretsOf(compiled, env)]);
  const { at } = options;
  const now = at === undefined ? () => new Date() : () => at;
  const event = await eventFrom(env, options, account, compiled.rules, now());
  const trace = await traceOf(event, account, compiled.rules, env, now);
  if (options.json) return redact(JSON.stringify(trace, undefined, 2));
  const text = formatTrace(trace, paint);
  return redact(text.includes(LEFT_BEHIND) ? `${text}\n\n${KNOWN_LATER}` : text);
}

/** What steps leave behind is not there when nothing is done: texts show its name. */
const LEFT_BEHIND = '{{ steps.';
const KNOWN_LATER = 'What is shown as {{ steps.… }} is known when the rule really runs.';

async function traceOf(
  event: Event,
  { name, apiKey = '', baseUrl }: Account,
  rules: readonly Rule[],
  env: NodeJS.ProcessEnv,
  now: () => Date,
): Promise<Trace> {
  const api = createSimpleMdm({ account: name, apiKey, baseUrl });
  const lists = createCachedLists(api);
  const found: Record<string, FactTrace> = {};
  const facts = createFactFetcher({
    event,
    api,
    lists,
    known: new Map(),
    onFact: (fact, record) => {
      found[fact] = record;
      return Promise.resolve();
    },
  });
  const decisions = await evaluateRules(event, rules, facts, now);
  const logger = createLogger({ level: 'silent', redact: (text) => text });
  const at = now().toISOString();
  const runs: RunTrace[] = [];
  for (const { rule } of decisions.filter(({ verdict }) => verdict === 'matched')) {
    let steps = rule.steps.map(({ source }) => pendingStep(source));
    const result = await runSteps({
      event,
      rule,
      steps,
      facts,
      api,
      lists,
      logger,
      env,
      dryRun: true,
      claimFor: () => () => Promise.resolve(true),
      saveSteps: (kept) => {
        steps = [...kept];
        return Promise.resolve(steps);
      },
      confirmOwnership: () => Promise.resolve(),
      beforeAction: () => Promise.resolve(undefined),
      stop: new AbortController().signal,
      // Nobody waits for a later attempt.
      retryAfter: () => undefined,
      superseded: () => Promise.resolve(undefined),
      dispatchAlert: () => Promise.resolve(),
      emitEvent: () => Promise.resolve(),
      now,
      runKey: `${event.id}.${rule.source.id}`,
      onStep: () => undefined,
    });
    const failed = result.kind !== 'completed' && { reason: result.reason };
    runs.push({
      rule: rule.source.id,
      status: failed === false ? 'completed' : 'failed',
      plannedAt: at,
      steps,
      ...(failed !== false && failed),
    });
  }
  const processing = { state: 'completed' as const, attempts: 1, at };
  return {
    ...event,
    status: statusOf(processing, runs),
    rules: runs.map(({ rule }) => rule),
    processing,
    facts: found,
    decisions: decisions.map((decision) => ruleTraceOf(decision, at)),
    runs,
    alerts: [],
  };
}

function ruleTraceOf({ rule: { source }, verdict, reason }: Decision, decidedAt: string) {
  return { rule: source.id, verdict, reason, decidedAt };
}

/** The event: a webhook in a file, one that the service has taken, or one made up of a type and a device. */
async function eventFrom(
  env: NodeJS.ProcessEnv,
  { event, device, account }: ExplainOptions,
  access: Account,
  rules: readonly Rule[],
  now: Date,
): Promise<Event> {
  const at = now.toISOString();
  const about = { id: 'explained', account, receivedAt: at, source: 'webhook' as const };
  if (existsSync(event)) return { ...about, ...(await webhookIn(event)) };
  if (/^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/.test(event) || KNOWN_TYPES.includes(event)) {
    checkType(event, device, rules);
    // One that is made up of a type is as if the clock had made it; a webhook of such a type is taken by no rule.
    const source = isScheduleType(event) ? 'schedule' : 'webhook';
    const data = device === undefined ? {} : { device: await deviceNamed(device, event, access) };
    return { ...about, source, type: event, at, data };
  }
  const taken = await withRedis(env, (redis) => findTrace(redis, event));
  if (taken !== undefined) {
    const data =
      device === undefined ? taken.data : { device: await deviceNamed(device, taken.type, access) };
    return { ...taken, data };
  }
  throw new OperatorError([
    `--event "${event}": expected a file with a webhook, the id of an event ("mdm-reflex events" lists them), or a type such as device.enrolled with --device`,
  ]);
}

/** A type that nothing is known of and no rule listens for by name is a typo when it is near one that is known. */
function checkType(type: string, device: string | undefined, rules: readonly Rule[]): void {
  const listened = rules.flatMap(({ source }) => source.on).filter((pattern) => !pattern.includes('*'));
  const known = [...KNOWN_TYPES, ...listened];
  const hint = known.includes(type) ? '' : didYouMean(type, known);
  if (hint !== '') throw new OperatorError([`--event ${type}: there is no such type of event${hint}`]);
  if (device === undefined && /^(?:device|abm\.device)\./.test(type)) {
    const what = type.startsWith('abm.') ? 'SERIAL' : 'ID';
    throw new OperatorError([
      `--event ${type} is about a device: say which one with --device ${what} (its ${what === 'ID' ? 'SimpleMDM id or its ' : ''}serial number)`,
    ]);
  }
}

/** What a webhook says of a device. */
async function deviceNamed(
  device: string,
  type: string,
  { name, apiKey = '', baseUrl }: Account,
): Promise<Record<string, unknown>> {
  if (/^\d+$/.test(device)) return { id: Number(device) };
  // What Apple Business Manager has need not be at SimpleMDM yet.
  if (type.startsWith('abm.')) return { serial_number: device };
  const api = createSimpleMdm({ account: name, apiKey, baseUrl });
  try {
    for await (const { id, attributes } of api.devices.list({
      search: device,
      includeAwaitingEnrollment: true,
    })) {
      if (attributes.serial_number?.toUpperCase() === device.toUpperCase())
        return { id, serial_number: attributes.serial_number };
    }
  } catch (error) {
    if (error instanceof SimpleMdmError) throw new OperatorError([`--device ${device}: ${error.message}`]);
    throw error;
  }
  throw new OperatorError([
    `--device ${device}: no device has this serial number; expected the SimpleMDM id or the serial number of a device`,
  ]);
}

async function webhookIn(path: string): Promise<z.output<typeof webhookEnvelope>> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new OperatorError([`--event ${path}: ${errorText(error)}; expected a webhook as JSON`]);
  }
  const parsed = webhookEnvelope.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new OperatorError(
    parsed.error.issues.map(
      (issue) => `--event ${path}: ${issue.path.join('.') || 'the webhook'}: ${issue.message}`,
    ),
  );
}
