import type { Redis } from 'ioredis';
import { z } from 'zod';
import { pendingStep, runSteps } from '../src/actions/run-steps.js';
import { ACTIONS } from '../src/actions/registry.js';
import { deviceIdOf } from '../src/enrichment/device-list.js';
import { createFactFetcher } from '../src/enrichment/fetch-facts.js';
import type { Causes } from '../src/journal/causes.js';
import type { Ceiling, Ceilings } from '../src/journal/ceilings.js';
import { claimsOf } from '../src/journal/claims.js';
import { canonicalJson } from '../src/events/fingerprint.js';
import type { Journal } from '../src/journal/journal.js';
import type { RunTrace } from '../src/journal/trace.js';
import { stepRecord } from '../src/queues/jobs.js';
import type { RunJob, StepRecord } from '../src/queues/jobs.js';
import type { JobHandle, Outcome } from '../src/queues/worker.js';
import { compileRule } from '../src/rules/rule.js';
import type { Rule } from '../src/rules/rule.js';
import type { RuleSource } from '../src/rules/rule-schema.js';
import type { Vocabulary } from '../src/rules/vocabulary.js';
import type { SimpleMdmError } from '../src/simplemdm/errors.js';
import type { Logger } from '../src/telemetry/logger.js';
import type { Metrics } from '../src/telemetry/metrics.js';
import { redactJson } from '../src/telemetry/redaction.js';
import type { Redaction } from '../src/telemetry/redaction.js';
import type { AccountAccess } from './accounts.js';
import { secretsOf } from './rule-secrets.js';

/** What the run worker joins together. */
export interface RunWorkerOptions {
  readonly rules: () => readonly Rule[];
  readonly vocabulary: Vocabulary;
  readonly accounts: ReadonlyMap<string, AccountAccess>;
  readonly connection: Redis;
  readonly journal: Journal;
  readonly causes: Causes;
  readonly ceilings: Ceilings;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly redaction: Redaction;
  readonly env: NodeJS.ProcessEnv;
  /** Whether every run is a dry run. */
  readonly readOnly: boolean;
}

/** Handles one run: its steps in order, kept with the job and in the journal as they go. */
export function createRunHandler(options: RunWorkerOptions): (job: JobHandle<RunJob>) => Promise<Outcome> {
  const { journal, metrics, redaction, causes } = options;
  return async (job) => {
    const { event, plannedAt } = job.data;
    let data: RunJob = { ...job.data, rule: ruleToRun(job.data, options.rules()) };
    const logger = options.logger.child({ event: event.id, account: event.account, rule: data.rule.id });
    const publish = (
      status: RunTrace['status'],
      about: Pick<RunTrace, 'reason' | 'finishedAt'> = {},
    ): Promise<void> =>
      journal.recordRun(event.id, { rule: data.rule.id, status, plannedAt, steps: data.steps, ...about });
    const dead = async (reason: string): Promise<Outcome> => {
      await publish('failed', { reason, finishedAt: new Date().toISOString() });
      logger.error({ reason, attempts: job.attempt }, 'a run failed: it is a dead letter');
      return { kind: 'dead', reason };
    };

    const access = options.accounts.get(event.account);
    if (access === undefined) return dead(`the account "${event.account}" is not configured (any more)`);
    const problems: string[] = [];
    // Compiling builds a type-checking environment; the rule in force has been compiled already.
    const inForce = options.rules().find(({ source }) => canonicalJson(source) === canonicalJson(data.rule));
    const rule =
      inForce ?? compileRule(data.rule, options.vocabulary, [], ({ message }) => void problems.push(message));
    if (problems.length > 0) return dead(`the rule cannot be run as it is: ${problems.join('; ')}`);
    // It may be an older form of a rule, with other secrets than those of today.
    redaction.add(secretsOf([rule], options.env));
    data = { ...data, steps: recordsFor(rule, data.steps) };
    const dryRun = options.readOnly || rule.source.mode === 'dry_run';
    if (data.admitted !== true && !dryRun) {
      const { ceiling, reason } = ceilingOf(rule, options.vocabulary);
      // Whoever replays a run that was dropped wants it.
      const planned = job.data.replayed === true ? Date.now() : Date.parse(plannedAt);
      const run = {
        account: event.account,
        rule: data.rule.id,
        plannedAt: planned,
        ceiling,
        reason,
      };
      const admission = await options.ceilings.admit(run);
      if (admission === 'dropped') return dead('it was dropped while its rule was held');
      if (admission !== 'admitted') {
        const advice = `mdm-reflex held release ${data.rule.id} --account ${event.account}`;
        const why = `the rule is held: ${reason}; "${advice}" lets its runs go on, "drop" in place of "release" drops them`;
        if (admission === 'holds') metrics.ruleHolds.inc({ rule: data.rule.id });
        if (admission === 'holds') logger.error({ reason }, 'the rule is held: its runs wait for a person');
        await publish('waiting', { reason: why });
        return { kind: 'again', at: Date.now() + LOOK_AGAIN_MS, waits: true, reason: why };
      }
      data = { ...data, admitted: true };
      await job.save(data);
    }
    await publish('running');

    const facts = createFactFetcher({
      event,
      ...access,
      known: await journal.factsOf(event.id),
      onFact: (name, fact) => journal.recordFact(event.id, name, fact),
    });
    const result = await runSteps({
      ...options,
      ...access,
      event,
      rule,
      steps: data.steps,
      logger,
      facts,
      beforeAction: async (action) => {
        const type = Object.hasOwn(ACTIONS, action) ? ACTIONS[action]?.causes : undefined;
        const deviceId = type === undefined ? undefined : await deviceIdOf({ event, fact: facts.fetch });
        if (type === undefined || deviceId === undefined) return;
        const links = (event.causedBy?.links ?? 0) + 1;
        await causes.note(event.account, type, deviceId, { event: event.id, rule: data.rule.id, links });
      },
      keep: async (steps) => {
        // What an action sent may hold a secret of the environment; the queue must not.
        data = { ...data, steps: z.array(stepRecord).parse(redactJson(redaction.redact, steps)) };
        await job.save(data);
        await publish('running');
        return data.steps;
      },
      dryRun,
      claimFor: (step) => claimsOf(options.connection, event.account, `${job.id}.${step}`),
      confirmOwnership: job.confirmOwnership,
      retryAt: (error) => retryTime(error, job),
      onStep: (action, status) => metrics.steps.inc({ action, status }),
    });
    switch (result.kind) {
      case 'completed':
        await publish('completed', { finishedAt: new Date().toISOString() });
        return { kind: 'done' };
      case 'failed':
        return dead(result.reason);
      case 'interrupted':
        await publish('waiting', { reason: result.reason });
        return result.error.failure.kind === 'stopped'
          ? { kind: 'handed_back' }
          : { kind: 'again', at: result.at, waits: result.error.accountUnavailable, reason: result.reason };
    }
  };
}

/** How often a run that is held looks whether it may begin. */
const LOOK_AGAIN_MS = 5000;

const HOUR_MS = 3_600_000;
/** No rule can raise or switch off what holds for steps that cannot be undone. */
const MOST_DESTRUCTIVE = { runs: 10, perMs: HOUR_MS };
/** What holds for a rule without a limit of its own: many, but not a fleet by mistake. */
const MOST_UNSAID = { runs: 1000, perMs: HOUR_MS };

/** How many runs of a rule may begin, and how to say that there were more. */
function ceilingOf(rule: Rule, { actions }: Vocabulary): { ceiling: Ceiling; reason: string } {
  const isDestructive = rule.steps.some(
    ({ source }) => Object.hasOwn(actions, source.action) && actions[source.action]?.class === 'destructive',
  );
  const own = rule.source.limit ?? MOST_UNSAID;
  const isStricter = own.runs / own.perMs < MOST_DESTRUCTIVE.runs / MOST_DESTRUCTIVE.perMs;
  const ceiling = isDestructive && !isStricter ? MOST_DESTRUCTIVE : own;
  const minutes = ceiling.perMs / 60_000;
  const whose = ceiling === MOST_DESTRUCTIVE ? 'what cannot be undone is done' : 'it may begin';
  return { ceiling, reason: `${whose} at most ${ceiling.runs} times in ${minutes} minutes` };
}

/** The rule as it was when the run was planned; for a replay as it is now, if the steps up to the last that is over are the same. */
function ruleToRun({ rule, replayed, steps }: RunJob, current: readonly Rule[]): RuleSource {
  const now = current.find((candidate) => candidate.source.id === rule.id)?.source;
  if (replayed !== true || now === undefined) return rule;
  const over = 1 + steps.findLastIndex(({ status }) => status === 'completed' || status === 'skipped');
  // Canonical: the fields of a step come out of the queue in another order than they went in.
  const same = canonicalJson(now.do.slice(0, over)) === canonicalJson(rule.do.slice(0, over));
  return same ? now : rule;
}

/** The records of the steps by position; a step that is another one now begins afresh. */
function recordsFor(rule: Rule, records: readonly StepRecord[]): StepRecord[] {
  return rule.steps.map(({ source }, index) => {
    const record = records[index];
    return record?.action === source.action && record.id === source.id ? record : pendingStep(source);
  });
}

/** When to try again after a failed call; undefined when it will not pass, or has been tried often enough. */
function retryTime(error: SimpleMdmError, job: JobHandle<RunJob>): number | undefined {
  if (error.failure.kind === 'stopped') return Date.now();
  const mayPass = error.accountUnavailable || (error.mayPassLater && !job.isLastAttempt);
  return mayPass ? job.retryAt(error.failure.retryAt) : undefined;
}
