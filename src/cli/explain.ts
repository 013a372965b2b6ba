import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { secretsOf } from '../rules/rule-secrets.js';
import { runSteps } from '../actions/run-steps.js';
import { pendingStep } from '../actions/step-attempt.js';
import { DEFAULT_ACCOUNT, readAccounts } from '../config/accounts.js';
import type { Account } from '../config/accounts.js';
import { OperatorError } from '../config/operator-error.js';
import { readSettings } from '../config/settings.js';
import { considerRules } from '../enrichment/consider-rules.js';
import type { Decision } from '../enrichment/consider-rules.js';
import { createFactFetcher } from '../enrichment/fetch-facts.js';
import { webhookEnvelope } from '../events/envelope.js';
import type { Event } from '../events/envelope.js';
import { KNOWN_TYPES } from '../events/webhook-types.js';
import { findTrace } from '../journal/find-events.js';
import { statusOf } from '../journal/trace.js';
import type { FactTrace, RunTrace, Trace } from '../journal/trace.js';
import { isScheduleType } from '../rules/event-pattern.js';
import type { Rule } from '../rules/rule.js';
import { createSimpleMdm } from '../simplemdm/client.js';
import { createDirectory } from '../simplemdm/directory.js';
import { errorText } from '../telemetry/error-text.js';
import { createLogger } from '../telemetry/logger.js';
import { createRedaction } from '../telemetry/redaction.js';
import { formatTrace } from './format-trace.js';
import { loadRules } from './load-rules.js';
import { withRedis } from './open-journal.js';
import type { Paint } from './terminal.js';

/** `mdm-reflex explain`, as the command line has it. */
export const explainOptions = z.object({
  event: z.string(),
  device: z.coerce
    .number('expected the SimpleMDM id of a device')
    .int('expected the SimpleMDM id of a device')
    .positive('expected the SimpleMDM id of a device')
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
      `there is no account "${options.account}" with an API key: set SIMPLEMDM_API_KEY, or name one of ${[...accounts.keys()].join(', ')} with --account`,
    ]);
  }
  const compiled = await loadRules(env, options.rules);
  const { redact } = createRedaction([account.apiKey, ...secretsOf(compiled, env)]);
  const { at } = options;
  const now = at === undefined ? () => new Date() : () => at;
  const trace = await traceOf(await eventFrom(env, options, now()), account, compiled.rules, env, now);
  return redact(options.json ? JSON.stringify(trace, undefined, 2) : formatTrace(trace, paint));
}

async function traceOf(
  event: Event,
  { name, apiKey = '', baseUrl }: Account,
  rules: readonly Rule[],
  env: NodeJS.ProcessEnv,
  now: () => Date,
): Promise<Trace> {
  const api = createSimpleMdm({ account: name, apiKey, baseUrl });
  const directory = createDirectory(api);
  const found: Record<string, FactTrace> = {};
  const facts = createFactFetcher({
    event,
    api,
    directory,
    known: new Map(),
    onFact: (fact, record) => {
      found[fact] = record;
      return Promise.resolve();
    },
  });
  const decisions = await considerRules(event, rules, facts, now);
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
      directory,
      logger,
      env,
      dryRun: true,
      claimFor: () => () => Promise.resolve(true),
      keep: (kept) => {
        steps = [...kept];
        return Promise.resolve(steps);
      },
      confirmOwnership: () => Promise.resolve(),
      beforeAction: () => Promise.resolve(undefined),
      stop: new AbortController().signal,
      // Nobody waits for a later attempt.
      tryAgain: () => undefined,
      superseded: () => Promise.resolve(undefined),
      tell: () => Promise.resolve(),
      raise: () => Promise.resolve(),
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
  const processing = { state: 'done' as const, attempts: 1, at };
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
  now: Date,
): Promise<Event> {
  const at = now.toISOString();
  const about = { id: 'explained', account, receivedAt: at, source: 'webhook' as const };
  if (existsSync(event)) return { ...about, ...(await webhookIn(event)) };
  if (/^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/.test(event) || KNOWN_TYPES.includes(event)) {
    // One that is made up of a type is as if the clock had made it; a webhook of such a type is taken by no rule.
    const source = isScheduleType(event) ? 'schedule' : 'webhook';
    return {
      ...about,
      source,
      type: event,
      at,
      data: device === undefined ? {} : { device: { id: device } },
    };
  }
  const taken = await withRedis(env, (redis) => findTrace(redis, event));
  if (taken !== undefined)
    return { ...taken, ...(device !== undefined && { data: { device: { id: device } } }) };
  throw new OperatorError([
    `--event "${event}": expected a file with a webhook, the id of an event ("mdm-reflex events" lists them), or a type such as device.enrolled with --device`,
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
