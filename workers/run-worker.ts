import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { runSteps } from '../src/actions/run-steps.js';
import type { Pause } from '../src/actions/run-steps.js';
import { TryLaterError } from '../src/actions/action.js';
import { pendingStep } from '../src/actions/step-attempt.js';
import type { StepFailure } from '../src/actions/step-attempt.js';
import { ACTIONS } from '../src/actions/registry.js';
import { deviceIdOf } from '../src/enrichment/device-list.js';
import { createFactFetcher } from '../src/enrichment/fetch-facts.js';
import type { Causes } from '../src/journal/causes.js';
import type { Ceiling, Ceilings } from '../src/journal/ceilings.js';
import { claimsOf } from '../src/journal/claims.js';
import { canonicalJson } from '../src/events/fingerprint.js';
import type { Journal } from '../src/journal/journal.js';
import type { FactTrace, RunTrace } from '../src/journal/trace.js';
import type { Turns } from '../src/journal/turns.js';
import { stepRecord } from '../src/queues/jobs.js';
import type { EventJob, RunJob, StepRecord } from '../src/queues/jobs.js';
import type { JobHandle, Outcome } from '../src/queues/worker.js';
import { compileRule } from '../src/rules/rule.js';
import type { Rule } from '../src/rules/rule.js';
import type { RuleSource } from '../src/rules/rule-schema.js';
import type { Vocabulary } from '../src/rules/vocabulary.js';
import { SimpleMdmError } from '../src/simplemdm/errors.js';
import type { Logger } from '../src/telemetry/logger.js';
import type { Metrics } from '../src/telemetry/metrics.js';
import { redactJson } from '../src/telemetry/redaction.js';
import type { Redaction } from '../src/telemetry/redaction.js';
import type { AccountAccess } from './accounts.js';
import type { Teller } from './tell.js';
import { secretsOf } from './rule-secrets.js';

/** What the run worker joins together. */
export interface RunWorkerOptions {
  readonly rules: () => readonly Rule[];
  readonly vocabulary: () => Vocabulary;
  readonly accounts: ReadonlyMap<string, AccountAccess>;
  readonly connection: Redis;
  readonly journal: Journal;
  readonly causes: Causes;
  readonly ceilings: Ceilings;
  readonly turns: Turns;
  readonly teller: Teller;
  readonly events: Queue<EventJob>;
  readonly runs: Queue<RunJob>;
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
    const line = job.data.concurrencyKey;
    const leave = async (): Promise<void> => {
      if (line !== undefined) await leaveLine(line, job.id, options);
    };
    const dead = async (reason: string): Promise<Outcome> => {
      await publish('failed', { reason, finishedAt: new Date().toISOString() });
      logger.error({ reason, attempts: job.attempt }, 'a run failed: it is a dead letter');
      await leave();
      await options.teller.announce({
        id: `dead:${job.id}:${plannedAt}`,
        kind: 'failed',
        account: event.account,
        rule: data.rule.id,
        event: { id: event.id, type: event.type },
        title: `A run of ${data.rule.id} failed`,
        text: reason,
        severity: 'warning',
      });
      return { kind: 'dead', reason };
    };

    const access = options.accounts.get(event.account);
    if (access === undefined) return dead(`the account "${event.account}" is not configured (any more)`);
    const problems: string[] = [];
    // Compiling builds a type-checking environment; the rule in force has been compiled already.
    const inForce = options.rules().find(({ source }) => canonicalJson(source) === canonicalJson(data.rule));
    const rule =
      inForce ??
      compileRule(data.rule, options.vocabulary(), [], ({ message }) => void problems.push(message));
    if (problems.length > 0) return dead(`the rule cannot be run as it is: ${problems.join('; ')}`);
    // It may be an older form of a rule, with other secrets than those of today.
    redaction.add(secretsOf({ rules: [rule], channels: [] }, options.env));
    data = { ...data, steps: recordsFor(rule, data.steps) };
    const dryRun = options.readOnly || rule.source.mode === 'dry_run';
    const mode = rule.source.concurrency?.mode ?? 'queued';
    if (line !== undefined) {
      const turn = await options.turns.ask({ line, run: job.id, at: Date.parse(event.at), mode });
      if (turn.kind === 'skip') {
        const reason =
          mode === 'restart'
            ? takenOver(rule)
            : `another run of the rule is under way for the same ${keyInWords(rule)} (${turn.because.slice(0, 12)})`;
        data = { ...data, steps: data.steps.map((step) => skipped(step, reason)) };
        await job.save(data);
        await publish('completed', { reason, finishedAt: new Date().toISOString() });
        return { kind: 'done' };
      }
      if (turn.kind === 'wait') {
        const reason = `it waits for its turn: an earlier run of the rule for the same ${keyInWords(rule)} is not over (${turn.behind.slice(0, 12)})`;
        await removeIfGone(line, turn.behind, options);
        await publish('waiting', { reason });
        return { kind: 'again', at: Date.now() + LOOK_AGAIN_MS, waits: true, reason };
      }
    }
    if (data.admitted !== true && !dryRun) {
      const admission = await options.ceilings.admit({
        account: event.account,
        rule: data.rule.id,
        // Whoever replays a run that was dropped wants it.
        plannedAt: job.data.replayed === true ? Date.now() : Date.parse(plannedAt),
        ceilings: ceilingsOf(rule, options.vocabulary()),
      });
      if (admission === 'dropped') return dead('it was dropped while its rule was held');
      if (admission !== 'admitted') {
        const advice = `mdm-reflex held release ${data.rule.id} --account ${event.account}`;
        const held = await options.ceilings.held();
        const reason =
          held.find((one) => one.account === event.account && one.rule === data.rule.id)?.reason ??
          'there were too many runs';
        const why = `the rule is held: ${reason}; "${advice}" lets its runs go on, "drop" in place of "release" drops them`;
        if (admission === 'holds') metrics.ruleHolds.inc({ rule: data.rule.id });
        if (admission === 'holds') {
          logger.error({ reason }, 'the rule is held: its runs wait for a person');
          await options.teller.announce({
            id: `held:${job.id}`,
            kind: 'held',
            account: event.account,
            rule: data.rule.id,
            event: { id: event.id, type: event.type },
            title: `The rule ${data.rule.id} is held`,
            text: why,
            severity: 'critical',
          });
        }
        await publish('waiting', { reason: why });
        return { kind: 'again', at: Date.now() + LOOK_AT_HELD_MS, waits: true, reason: why };
      }
      data = { ...data, admitted: true };
      await job.save(data);
    }
    await publish('running');

    const facts = createFactFetcher({
      event,
      ...access,
      known: freshFacts(await journal.factsOf(event.id), data.steps),
      onFact: (name, fact) => journal.recordFact(event.id, name, fact),
    });
    const result = await runSteps({
      ...options,
      runKey: job.id,
      now: () => new Date(),
      tell: options.teller.tell,
      raise: async (raised) => {
        await options.events.add(raised.type, { event: raised }, { jobId: raised.id });
        await journal.recordReceived([raised]);
      },
      superseded: async () =>
        line === undefined || mode !== 'restart' || (await options.turns.holds(line, job.id))
          ? undefined
          : takenOver(rule),
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
      tryAgain: (error) => pauseAfter(error, job),
      onStep: (action, status) => metrics.steps.inc({ action, status }),
    });
    switch (result.kind) {
      case 'completed':
        await publish('completed', { finishedAt: new Date().toISOString() });
        await leave();
        return { kind: 'done' };
      case 'failed':
        return dead(result.reason);
      case 'interrupted':
        await publish('waiting', { reason: result.reason });
        return result.pause.costs === 'hand_back'
          ? { kind: 'handed_back' }
          : {
              kind: 'again',
              at: result.pause.at,
              waits: result.pause.costs === 'nothing',
              reason: result.reason,
            };
    }
  };
}

/** How often a run that is held looks whether it may begin. */
const LOOK_AT_HELD_MS = 5000;
/** How often a run that stands in line looks whether it is its turn; whoever leaves the line tells the next. */
const LOOK_AGAIN_MS = 2000;

const keyInWords = (rule: Rule): string => (rule.source.concurrency?.key === undefined ? 'device' : 'key');

const takenOver = (rule: Rule): string =>
  `a later run of the rule for the same ${keyInWords(rule)} took its place`;

/** A step that is not over is not done any more. */
function skipped(step: StepRecord, reason: string): StepRecord {
  const isOver = step.status === 'completed' || step.status === 'skipped' || step.status === 'failed';
  return isOver ? step : { ...step, status: 'skipped', reason };
}

/** Leaves a line and wakes the run that is first in it now. */
export async function leaveLine(
  line: string,
  run: string,
  { turns, runs }: Pick<RunWorkerOptions, 'turns' | 'runs'>,
): Promise<void> {
  const next = await turns.leave(line, run);
  const job = next === undefined ? undefined : await runs.getJob(next);
  // One that is not waiting for its time is on its way already.
  if ((await job?.isDelayed()) === true) await job?.promote().catch(() => undefined);
}

/** Takes a run out of the line that will never come: its job was removed, or ended without leaving. */
async function removeIfGone(line: string, run: string, options: RunWorkerOptions): Promise<void> {
  const state = await options.runs.getJobState(run);
  if (state === 'unknown' || state === 'completed' || state === 'failed') await leaveLine(line, run, options);
}

/** The facts that are still good: what was looked up before a step waited is looked up anew. */
function freshFacts(
  known: ReadonlyMap<string, FactTrace>,
  steps: readonly StepRecord[],
): ReadonlyMap<string, FactTrace> {
  const waits = steps.flatMap((step) => [step, ...(step.each ?? [])]).filter(isWaited);
  const last = waits
    .map(({ finishedAt, nextAttemptAt }) => finishedAt ?? nextAttemptAt ?? '')
    .sort()
    .at(-1);
  if (last === undefined) return known;
  return new Map([...known].filter(([, { fetchedAt }]) => fetchedAt >= last));
}

/** Whether time has passed in a step: one that waited on purpose, or for its script. */
function isWaited({ action, status }: Pick<StepRecord, 'action' | 'status'>): boolean {
  return status === 'waiting' || (action === 'wait' && status === 'completed');
}

const HOUR_MS = 3_600_000;
/** No rule can raise or switch off what holds for steps that cannot be undone, over all rules that have some. */
const DESTRUCTIVE: Ceiling = {
  runs: 10,
  perMs: HOUR_MS,
  shared: true,
  reason: 'what cannot be undone is done at most 10 times in 60 minutes, by all rules together',
};
/** What holds for a rule without a limit of its own: many, but not a fleet by mistake. */
const UNSAID = { runs: 1000, perMs: HOUR_MS };

/** How many runs of a rule may begin. */
function ceilingsOf(rule: Rule, { actions }: Vocabulary): Ceiling[] {
  const { runs, perMs } = rule.source.limit ?? UNSAID;
  const reason = `it may begin at most ${runs} times in ${perMs / 60_000} minutes`;
  const isDestructive = rule.steps.some(
    ({ source }) => Object.hasOwn(actions, source.action) && actions[source.action]?.class === 'destructive',
  );
  return [{ runs, perMs, shared: false, reason }, ...(isDestructive ? [DESTRUCTIVE] : [])];
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

/** When to try again after a failure; undefined when it will not pass, or has been tried often enough. */
function pauseAfter(error: StepFailure, job: JobHandle<RunJob>): Pause | undefined {
  if (error instanceof TryLaterError) {
    return job.isLastAttempt ? undefined : { at: job.retryAt(error.notBefore), costs: 'attempt' };
  }
  if (!(error instanceof SimpleMdmError)) return undefined;
  const { failure, accountUnavailable, mayPassLater } = error;
  if (failure.kind === 'stopped') return { at: Date.now(), costs: 'hand_back' };
  if (accountUnavailable) return { at: job.retryAt(failure.retryAt), costs: 'nothing' };
  return mayPassLater && !job.isLastAttempt
    ? { at: job.retryAt(failure.retryAt), costs: 'attempt' }
    : undefined;
}
