import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { runLimitsOf } from '../src/runs/rule-limits.js';
import { freshFacts, stepRecordsFor, effectiveRule, ruleStateOf } from '../src/runs/planned-run.js';
import { ACTIONS } from '../src/actions/registry.js';
import { runSteps } from '../src/runs/run-steps.js';
import { delayAfter } from '../src/runs/retry.js';
import { deviceIdOf } from '../src/enrichment/event-device.js';
import { createFactFetcher } from '../src/enrichment/fetch-facts.js';
import { canonicalJson } from '../src/events/fingerprint.js';
import type { EventCauses } from '../src/coordination/event-causes.js';
import type { RunLimits } from '../src/coordination/run-limits.js';
import { openClaims } from '../src/coordination/claims.js';
import type { Journal } from '../src/journal/journal.js';
import { enqueueEvents } from '../src/coordination/enqueue-events.js';
import { acquireSlot } from '../src/coordination/acquire-slot.js';
import type { ConcurrencyGroups } from '../src/coordination/concurrency-groups.js';
import { stepRecord } from '../src/queues/jobs.js';
import type { EventJob, RunJob } from '../src/queues/jobs.js';
import type { JobHandle, JobOutcome } from '../src/queues/worker.js';
import { compileRule } from '../src/rules/compile-rule.js';
import type { Rule } from '../src/rules/model/rule.js';
import type { RuleSource } from '../src/rules/model/rule-schema.js';
import { secretsOf } from '../src/rules/model/rule-secrets.js';
import type { Vocabulary } from '../src/rules/model/vocabulary.js';
import type { Logger } from '../src/telemetry/logger.js';
import type { Metrics } from '../src/telemetry/metrics.js';
import { redactJson } from '../src/telemetry/redaction.js';
import type { Redaction } from '../src/telemetry/redaction.js';
import type { AccountAccess } from '../src/simplemdm/account-access.js';
import { admissionName, openRunSession } from '../src/runs/run-session.js';
import type { RunSession } from '../src/runs/run-session.js';
import type { AlertDispatcher } from '../src/alerts/alert-dispatcher.js';

/** What the run worker joins together. */
export interface RunWorkerOptions {
  readonly rules: () => readonly Rule[];
  readonly vocabulary: () => Vocabulary;
  readonly accounts: ReadonlyMap<string, AccountAccess>;
  readonly connection: Redis;
  readonly journal: Journal;
  readonly causes: EventCauses;
  readonly limits: RunLimits;
  readonly groups: ConcurrencyGroups;
  readonly alerts: AlertDispatcher;
  readonly events: Queue<EventJob>;
  readonly runs: Queue<RunJob>;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly redaction: Redaction;
  readonly env: NodeJS.ProcessEnv;
  /** Whether every run is a dry run. */
  readonly readOnly: boolean;
  /** Breaks off what is under way when the process stops. */
  readonly stop: AbortSignal;
}

/** Handles one run: its steps in order, kept with the job and in the journal as they go. */
export function createRunHandler(options: RunWorkerOptions): (job: JobHandle<RunJob>) => Promise<JobOutcome> {
  return async (job) => {
    const access = options.accounts.get(job.data.event.account);
    const run = openRunSession(job, options);
    if (access === undefined)
      return run.fail(`the account "${job.data.event.account}" is not configured (any more)`);
    const planned = effectiveRule(job.data, run.currentRule);
    const standing = ruleStateOf(planned, run.currentRule, job.data.event.account);
    if (standing.kind === 'gone') return ruleIsGone(run, planned);
    if (run.data().goneSince !== undefined) run.clearWait();
    if (standing.kind === 'stopped') return run.skip(standing.reason);
    const rule = compiled(planned, options);
    if (typeof rule === 'string') return run.fail(`the rule cannot be run as it is: ${rule}`);
    // It may be an older form of a rule, with other secrets than those of today.
    options.redaction.add(secretsOf({ rules: [rule], channels: [] }, options.env));
    run.update({
      rule: planned,
      steps: stepRecordsFor(planned, job.data.rule, job.data.steps, job.data.replays),
    });
    const dryRun = options.readOnly || standing.dryRun;
    const held =
      (await turnOf(rule, run, options)) ?? (dryRun ? undefined : await admission(rule, run, options));
    if (held !== undefined) return held;
    return perform(rule, dryRun, run, access, options);
  };
}

/** A worker may have its rule files later than another, and files are replaced in steps: a rule has this long to come back. */
const GRACE_MS = 10 * 60_000;
const LOOK_FOR_RULE_MS = 5000;

async function ruleIsGone(run: RunSession, { id }: RuleSource): Promise<JobOutcome> {
  const { goneSince, replays = 0 } = run.data();
  const since = goneSince === undefined ? Date.now() : Date.parse(goneSince);
  if (replays > 0 || Date.now() - since >= GRACE_MS)
    return run.fail(`the rule "${id}" is in no rule file any more: put it back and replay the event`);
  return run.wait(
    Date.now() + LOOK_FOR_RULE_MS,
    `the rule "${id}" is in no rule file (any more): its run waits ten minutes for it to come back`,
    { goneSince: new Date(since).toISOString() },
  );
}

/** The rule ready to run, or what is wrong with it. What it names that is gone meanwhile fails the step that needs it, not the run. */
function compiled(source: RuleSource, { rules, vocabulary }: RunWorkerOptions): Rule | string {
  // Compiling builds a type-checking environment; the rule in force has been compiled already.
  const inForce = rules().find((rule) => canonicalJson(rule.source) === canonicalJson(source));
  if (inForce !== undefined) return inForce;
  const { catalogs: _referents, ...known } = vocabulary();
  const problems: string[] = [];
  const rule = compileRule(
    source,
    { ...known, isEnvSet: () => true },
    [],
    ({ message }) => void problems.push(message),
  );
  return problems.length === 0 ? rule : problems.join('; ');
}

/** A run that stands in line is woken by whoever leaves it; this is for when nobody does. */
const LOOK_AGAIN_MS = 200;
const LOOK_AGAIN_MOST_MS = 15_000;

/** Undefined when it is the run's turn. */
async function turnOf(
  rule: Rule,
  run: RunSession,
  options: RunWorkerOptions,
): Promise<JobOutcome | undefined> {
  const { concurrencyKey: group, event, plannedAt } = run.data();
  if (group === undefined) return undefined;
  const mode = rule.source.concurrency?.mode ?? 'queued';
  const turn = await acquireSlot({ group, run: run.job.id, at: Date.parse(event.at), mode }, options);
  if (turn.kind === 'go') return undefined;
  if (turn.kind === 'skip') {
    return run.skip(
      mode === 'restart'
        ? takenOver(rule)
        : `another run of the rule is under way for the same ${keyInWords(rule)} (${turn.because.slice(0, 12)})`,
    );
  }
  // The next one looks soon, in case that it was just at work when it would have been woken; the longer it lasts, the less often.
  const waited = Math.max(Date.now() - Date.parse(plannedAt), 0);
  const pause = Math.min(Math.max(waited / 10, LOOK_AGAIN_MS) * Math.max(turn.place, 1), LOOK_AGAIN_MOST_MS);
  const reason = `it waits for its turn: earlier runs of the rule for the same ${keyInWords(rule)} are not over`;
  return run.wait(Date.now() + pause, reason);
}

const keyInWords = (rule: Rule): string => (rule.source.concurrency?.key === undefined ? 'device' : 'key');

const takenOver = (rule: Rule): string =>
  `a later run of the rule for the same ${keyInWords(rule)} took its place`;

/** How often a run that is held looks whether it may begin. */
const LOOK_AT_HELD_MS = 5000;

/** Undefined when the run may begin. */
async function admission(
  rule: Rule,
  run: RunSession,
  { limits, alerts, metrics }: RunWorkerOptions,
): Promise<JobOutcome | undefined> {
  const { event, plannedAt, admitted, replayedAt } = run.data();
  if (admitted === true) return undefined;
  const about = { account: event.account, rule: rule.source.id };
  const answer = await limits.admit({
    ...about,
    run: admissionName(run.job.id, run.data()),
    // Whoever replays a run that was dropped wants it.
    plannedAt: Date.parse(replayedAt ?? plannedAt),
    ceilings: runLimitsOf(rule),
  });
  if (answer === 'dropped') return run.fail('it was dropped while its rule was held', true);
  if (answer === 'admitted') {
    run.update({ admitted: true });
    await run.save();
    return undefined;
  }
  const held = (await limits.listHeld()).find(
    ({ account, rule: id }) => account === about.account && id === about.rule,
  );
  // Somebody has let it go between the two questions.
  if (held === undefined) return { kind: 'again', at: Date.now(), waits: true, reason: 'the rule was held' };
  const advice = `mdm-reflex held release ${about.rule} --account ${about.account}`;
  const why = `the rule is held: ${held.reason}; "${advice}" lets its runs go on, "drop" in place of "release" drops them`;
  if (answer === 'holds') {
    metrics.rulesHeld.inc({ rule: about.rule });
    run.logger.error({ reason: held.reason }, 'the rule is held: its runs wait for a person');
  }
  // Also by those that find it held: whoever held it may have died before telling.
  if (run.data().waitsFor !== why) {
    await alerts.dispatchServiceAlert({
      ...about,
      id: `held:${about.account}:${about.rule}`,
      since: held.since,
      kind: 'held',
      event: { id: event.id, type: event.type },
      title: `The rule ${about.rule} is held`,
      text: why,
      severity: 'critical',
    });
  }
  return run.wait(Date.now() + LOOK_AT_HELD_MS, why);
}

async function perform(
  rule: Rule,
  dryRun: boolean,
  run: RunSession,
  access: AccountAccess,
  options: RunWorkerOptions,
): Promise<JobOutcome> {
  const { journal, redaction, causes, groups } = options;
  const { job, logger } = run;
  run.clearWait();
  const { event, concurrencyKey: line } = run.data();
  await run.publish('running');
  const facts = createFactFetcher({
    event,
    ...access,
    known: freshFacts(await journal.factsOf(event.id), run.data().steps),
    onFact: (name, fact) => journal.recordFact(event.id, name, fact),
  });
  const restarts = line !== undefined && rule.source.concurrency?.mode === 'restart';
  // Why the steps that were left were not done, should a later run have taken its place in the middle.
  let replaced: string | undefined;
  const result = await runSteps({
    ...options,
    ...access,
    event,
    rule,
    facts,
    logger,
    dryRun,
    steps: run.data().steps,
    runKey: job.id,
    now: () => new Date(),
    dispatchAlert: options.alerts.dispatch,
    emitEvent: async (raised) => {
      await enqueueEvents([raised], { redis: options.connection, queue: options.events, journal });
    },
    superseded: async () =>
      (replaced = restarts && !(await groups.holdsSlot(line, job.id)) ? takenOver(rule) : undefined),
    beforeAction: async (action) => {
      const type = Object.hasOwn(ACTIONS, action) ? ACTIONS[action]?.causes : undefined;
      const deviceId = type === undefined ? undefined : await deviceIdOf({ event, fact: facts.fetch });
      if (type === undefined || deviceId === undefined) return undefined;
      const chainLength = (event.causedBy?.chainLength ?? 0) + 1;
      const cause = { event: event.id, rule: rule.source.id, chainLength };
      await causes.expect(event.account, type, deviceId, cause);
      return () => causes.cancel(event.account, type, deviceId, cause);
    },
    saveSteps: async (steps) => {
      // What an action sent may hold a secret of the environment; the queue must not.
      run.update({ steps: z.array(stepRecord).parse(redactJson(redaction.redact, steps)) });
      await run.save();
      await run.publish('running');
      return run.data().steps;
    },
    claimFor: (step) => openClaims(options.connection, event.account, `${job.id}.${step}`),
    confirmOwnership: job.confirmOwnership,
    retryAfter: (error) => delayAfter(error, job, options.stop),
    onStep: (action, status) => options.metrics.steps.inc({ action, status }),
  });
  if (result.kind === 'completed') return run.complete(replaced);
  if (result.kind === 'failed') return run.fail(result.reason, dryRun);
  const { pause, reason } = result;
  await run.publish('waiting', { reason });
  return pause.costs === 'hand_back'
    ? { kind: 'handed_back' }
    : { kind: 'again', at: pause.at, waits: pause.costs === 'nothing', reason };
}
