import { StepError } from '../src/actions/action.js';
import type { ActionContext } from '../src/actions/action.js';
import { performStep } from '../src/actions/perform-step.js';
import { createFactFetcher } from '../src/enrichment/fetch-facts.js';
import { eventValue } from '../src/enrichment/rule-values.js';
import type { Journal } from '../src/journal/journal.js';
import type { RunTrace } from '../src/journal/trace.js';
import type { RunJob, StepRecord } from '../src/queues/jobs.js';
import type { JobHandle, Outcome } from '../src/queues/worker.js';
import { LostJobError } from '../src/queues/worker.js';
import { compileRule } from '../src/rules/rule.js';
import type { Rule, Step } from '../src/rules/rule.js';
import type { RuleSource } from '../src/rules/rule-schema.js';
import type { Vocabulary } from '../src/rules/vocabulary.js';
import { recordCalls } from '../src/simplemdm/call-log.js';
import type { ApiCall } from '../src/simplemdm/call-log.js';
import { SimpleMdmError } from '../src/simplemdm/errors.js';
import { errorText } from '../src/telemetry/error-text.js';
import type { Logger } from '../src/telemetry/logger.js';
import type { Metrics } from '../src/telemetry/metrics.js';
import { redactJson } from '../src/telemetry/redaction.js';
import type { Redaction } from '../src/telemetry/redaction.js';
import type { AccountAccess } from './accounts.js';

/** What the run worker joins together. */
export interface RunWorkerOptions {
  readonly rules: () => readonly Rule[];
  readonly vocabulary: Vocabulary;
  readonly accounts: ReadonlyMap<string, AccountAccess>;
  readonly journal: Journal;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly redaction: Redaction;
  readonly env: NodeJS.ProcessEnv;
}

/** A step's last calls are kept; a step that was retried all day has made hundreds. */
const CALLS_KEPT = 10;

/**
 * Handles one run: its steps in order, what each came to kept with the job before the next begins, so that a retry or a
 * restart resumes behind the last one that is done.
 */
export function createRunHandler(options: RunWorkerOptions): (job: JobHandle<RunJob>) => Promise<Outcome> {
  const { journal, metrics, redaction } = options;
  return async (job) => {
    const { event, plannedAt } = job.data;
    const logger = options.logger.child({ event: event.id, account: event.account, rule: job.data.rule.id });
    let data: RunJob = { ...job.data, rule: ruleToRun(job.data, options.rules()) };
    const publish = (
      status: RunTrace['status'],
      about: Pick<RunTrace, 'reason' | 'finishedAt'> = {},
    ): Promise<void> =>
      journal.recordRun(event.id, { rule: data.rule.id, status, plannedAt, steps: data.steps, ...about });
    const keep = async (index: number, changed: StepRecord): Promise<void> => {
      // What an action sent may hold a secret of the environment; the queue must not.
      const masked = stepRecordOf(redactJson(redaction.redact, changed), changed);
      data = { ...data, steps: data.steps.with(index, masked) };
      await job.save(data);
    };
    const dead = async (reason: string): Promise<Outcome> => {
      await publish('failed', { reason, finishedAt: new Date().toISOString() });
      logger.error({ reason, attempts: job.attempt }, 'a run failed: it is a dead letter');
      return { kind: 'dead', reason };
    };

    const access = options.accounts.get(event.account);
    if (access === undefined) return dead(`the account "${event.account}" is not configured (any more)`);
    const problems: string[] = [];
    const rule = compileRule(data.rule, options.vocabulary, [], ({ message }) => void problems.push(message));
    if (problems.length > 0) return dead(`the rule cannot be run as it is: ${problems.join('; ')}`);
    data = { ...data, steps: rule.steps.map((step, index) => data.steps[index] ?? pending(step)) };

    const facts = createFactFetcher({
      event,
      ...access,
      known: await journal.factsOf(event.id),
      onFact: (name, fact) => journal.recordFact(event.id, name, fact),
    });
    await publish('running');

    for (const [index, step] of rule.steps.entries()) {
      const before = data.steps[index] ?? pending(step);
      if (isOver(before, step)) continue;
      const context: ActionContext = {
        event,
        ...access,
        fact: facts.fetch,
        logger: logger.child({ step: index + 1 }),
      };
      const now = new Date().toISOString();
      let record: StepRecord = withoutRetry({
        ...before,
        status: 'running',
        attempts: before.attempts + 1,
        startedAt: before.startedAt ?? now,
      });
      const calls: ApiCall[] = [];
      const finish = (changed: Partial<StepRecord>): StepRecord => ({
        ...record,
        ...changed,
        calls: [...before.calls, ...calls].slice(-CALLS_KEPT),
      });
      try {
        const values = {
          event: eventValue(event),
          ...(await factValues(step, facts.fetch)),
          steps: outputsOf(data.steps),
        };
        const result = await recordCalls(calls, () =>
          performStep({
            step,
            values,
            context,
            env: options.env,
            unsettledSince: before.unsettledSince === undefined ? undefined : new Date(before.unsettledSince),
            beforeAction: async () => {
              await job.confirmOwnership();
              record = { ...record, unsettledSince: before.unsettledSince ?? now };
              await keep(index, record);
            },
          }),
        );
        const outcome =
          result.status === 'completed' ? { output: { ...result.output } } : { reason: result.reason };
        await keep(
          index,
          settled(finish({ status: result.status, ...outcome, finishedAt: new Date().toISOString() })),
        );
        metrics.steps.inc({ action: step.source.action, status: result.status });
        logger.info(
          { step: index + 1, action: step.source.action, status: result.status, ...outcome },
          'step done',
        );
      } catch (error) {
        if (error instanceof LostJobError) throw error;
        const reason = errorText(error);
        const later = laterOutcome(error, job);
        if (later !== undefined) {
          // Whether an earlier attempt took effect stays open until an answer says so.
          const open = finish({
            unsettledSince: leavesOpen(error) ? record.unsettledSince : before.unsettledSince,
          });
          if (later.kind === 'again') {
            const nextAttemptAt = new Date(later.at).toISOString();
            await keep(index, { ...open, status: 'retrying', reason, nextAttemptAt });
            await publish('waiting', { reason: `step ${index + 1} (${step.source.action}): ${reason}` });
            logger.warn(
              { step: index + 1, action: step.source.action, reason, nextAttemptAt },
              'a step is tried again later',
            );
          } else {
            await keep(index, { ...open, status: 'retrying', reason });
          }
          metrics.steps.inc({ action: step.source.action, status: 'retrying' });
          return later;
        }
        if (!(error instanceof SimpleMdmError || error instanceof StepError)) throw error;
        await keep(
          index,
          settled(finish({ status: 'failed', reason, finishedAt: new Date().toISOString() })),
        );
        metrics.steps.inc({ action: step.source.action, status: 'failed' });
        logger.error({ step: index + 1, action: step.source.action, reason }, 'step failed');
        if (step.source.onError === 'stop')
          return dead(`step ${index + 1} (${step.source.action}): ${reason}`);
      }
      await publish('running');
    }
    await publish('completed', { finishedAt: new Date().toISOString() });
    return { kind: 'done' };
  };
}

/** The rule as it was when the run was planned; for a replay as it is now, if the steps that are done are still its first. */
function ruleToRun({ rule, replayed, steps }: RunJob, current: readonly Rule[]): RuleSource {
  const now = current.find((candidate) => candidate.source.id === rule.id)?.source;
  if (replayed !== true || now === undefined) return rule;
  const done = steps.filter((step) => step.status === 'completed' || step.status === 'skipped').length;
  const same = JSON.stringify(now.do.slice(0, done)) === JSON.stringify(rule.do.slice(0, done));
  return same ? now : rule;
}

function pending({ source }: Step): StepRecord {
  return {
    action: source.action,
    ...(source.id !== undefined && { id: source.id }),
    status: 'pending',
    attempts: 0,
    calls: [],
  };
}

function isOver({ status }: StepRecord, { source }: Step): boolean {
  return (
    status === 'completed' || status === 'skipped' || (status === 'failed' && source.onError === 'continue')
  );
}

function withoutRetry({
  reason: _reason,
  nextAttemptAt: _nextAttemptAt,
  finishedAt: _finishedAt,
  ...record
}: StepRecord): StepRecord {
  return record;
}

function settled({ unsettledSince: _unsettledSince, ...record }: StepRecord): StepRecord {
  return record;
}

function leavesOpen(error: unknown): boolean {
  return error instanceof SimpleMdmError && error.failure.mayHaveTakenEffect;
}

/** What to do about an error that may pass; undefined when it will not, or has been tried often enough. */
function laterOutcome(error: unknown, job: JobHandle<RunJob>): Outcome | undefined {
  if (!(error instanceof SimpleMdmError)) return undefined;
  if (error.failure.kind === 'stopped') return { kind: 'handed_back' };
  const waits = error.accountUnavailable;
  if (!waits && (!error.mayPassLater || job.isLastAttempt)) return undefined;
  return { kind: 'again', at: job.retryAt(error.failure.retryAt), waits, reason: error.message };
}

async function factValues(
  step: Step,
  fetch: (name: string) => Promise<unknown>,
): Promise<Record<string, unknown>> {
  const entries = await Promise.all([...step.facts].map(async (name) => [name, await fetch(name)] as const));
  return Object.fromEntries(entries);
}

function outputsOf(steps: readonly StepRecord[]): Record<string, unknown> {
  return Object.fromEntries(
    steps.flatMap(({ id, status, reason, output }) =>
      id === undefined ? [] : [[id, { status, reason: reason ?? null, ...output }]],
    ),
  );
}

function stepRecordOf(masked: unknown, original: StepRecord): StepRecord {
  return typeof masked === 'object' && masked !== null ? { ...original, ...masked } : original;
}
