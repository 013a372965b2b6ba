import { createHash } from 'node:crypto';
import type { Queue } from 'bullmq';
import { considerRules } from '../src/enrichment/consider-rules.js';
import { deviceFacts } from '../src/enrichment/device.js';
import { createFactFetcher } from '../src/enrichment/fetch-facts.js';
import type { Event } from '../src/events/envelope.js';
import type { Journal } from '../src/journal/journal.js';
import type { FactTrace } from '../src/journal/trace.js';
import type { EventJob, ScheduleJob } from '../src/queues/jobs.js';
import type { JobHandle, Outcome } from '../src/queues/worker.js';
import { scheduleType } from '../src/rules/event-pattern.js';
import type { Rule } from '../src/rules/rule.js';
import type { Device } from '../src/simplemdm/devices.js';
import { SimpleMdmError } from '../src/simplemdm/errors.js';
import type { Logger } from '../src/telemetry/logger.js';
import type { Metrics } from '../src/telemetry/metrics.js';
import type { AccountAccess } from './accounts.js';

/** What the schedule worker joins together. */
export interface ScheduleWorkerOptions {
  readonly rules: () => readonly Rule[];
  readonly accounts: ReadonlyMap<string, AccountAccess>;
  readonly events: Queue<EventJob>;
  readonly journal: Journal;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

type Progress = NonNullable<ScheduleJob['progress']>;

/** So many devices of a page are decided at once. */
const AT_ONCE = 10;

/**
 * Handles the time that has come for a rule: raises its event; for a rule over the devices, one for each device that its condition lets
 * through. The fleet is gone through page by page with what the list says of each device, and goes on where it was after a restart.
 */
export function createScheduleHandler(
  options: ScheduleWorkerOptions,
): (job: JobHandle<ScheduleJob>) => Promise<Outcome> {
  return async (job) => {
    const rule = options
      .rules()
      .find(({ source }) => source.id === job.data.rule && source.schedule !== undefined);
    const logger = options.logger.child({ rule: job.data.rule, tick: job.id });
    if (rule?.source.enabled !== true) {
      logger.info('the time has come for a rule that is not there or not enabled: nothing is done');
      return { kind: 'done' };
    }
    let progress: Progress = job.data.progress ?? { accounts: [], looked: 0, matched: 0 };
    const save = async (changed: Progress): Promise<void> => {
      progress = changed;
      await job.save({ ...job.data, progress });
    };
    if (job.data.progress === undefined) {
      options.metrics.scheduleTicks.inc({ rule: rule.source.id });
      await save(progress);
    }
    const tick = { id: job.id, at: new Date(job.scheduledAt).toISOString() };
    try {
      for (const [name, access] of options.accounts) {
        const isFor = rule.source.accounts?.includes(name) ?? true;
        if (!isFor || progress.accounts.includes(name)) continue;
        if (rule.source.schedule?.forEach === undefined) {
          await raise(eventFor(rule, name, tick, undefined), undefined, options);
        } else {
          await goThroughFleet(rule, name, access, tick, options, () => progress, save);
        }
        const { after: _after, ...others } = progress;
        await save({ ...others, accounts: [...progress.accounts, name] });
      }
    } catch (error) {
      if (!(error instanceof SimpleMdmError)) throw error;
      return settle(error, job, logger);
    }
    logger.info({ looked: progress.looked, matched: progress.matched }, 'a schedule was worked through');
    return { kind: 'done' };
  };
}

interface Tick {
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
}

async function goThroughFleet(
  rule: Rule,
  account: string,
  access: AccountAccess,
  tick: Tick,
  options: ScheduleWorkerOptions,
  progress: () => Progress,
  save: (progress: Progress) => Promise<void>,
): Promise<void> {
  for (;;) {
    const { after } = progress();
    const page = await access.api.devices.listPage(after === undefined ? {} : { startingAfter: after });
    let matched = 0;
    for (let start = 0; start < page.data.length; start += AT_ONCE) {
      const decided = await Promise.all(
        page.data
          .slice(start, start + AT_ONCE)
          .map((device) => look(rule, account, device, access, tick, options)),
      );
      matched += decided.filter(Boolean).length;
    }
    const last = page.data.at(-1)?.id;
    const { looked, matched: before, ...others } = progress();
    await save({
      ...others,
      looked: looked + page.data.length,
      matched: before + matched,
      ...(last !== undefined && { after: last }),
    });
    if (!page.hasMore || last === undefined) return;
  }
}

/** Whether the rule takes the device; then its event has been raised. */
async function look(
  rule: Rule,
  account: string,
  device: Device,
  access: AccountAccess,
  tick: Tick,
  options: ScheduleWorkerOptions,
): Promise<boolean> {
  const event = eventFor(rule, account, tick, device);
  const known: FactTrace = {
    status: 'found',
    value: deviceFacts(device),
    fetchedAt: new Date().toISOString(),
    durationMs: 0,
    calls: [],
  };
  const facts = createFactFetcher({
    event,
    ...access,
    known: new Map([['device', known]]),
    onFact: () => Promise.resolve(),
  });
  const [decision] = await considerRules(event, [conditionOf(rule)], facts);
  if (decision?.verdict === 'waiting') throw decision.cause;
  // One that cannot be decided is raised as well: its trace says why.
  if (decision?.verdict !== 'matched' && decision?.verdict !== 'error') return false;
  await raise(event, known, options);
  return true;
}

/** The rule as far as its condition: what its steps need is looked up when they are due. */
function conditionOf(rule: Rule): Rule {
  return { ...rule, stepFacts: new Set() };
}

async function raise(
  event: Event,
  device: FactTrace | undefined,
  { journal, events }: ScheduleWorkerOptions,
): Promise<void> {
  if (device !== undefined) await journal.recordFact(event.id, 'device', device);
  await events.add(event.type, { event }, { jobId: event.id });
  await journal.recordReceived([event]);
}

function eventFor(rule: Rule, account: string, tick: Tick, device: Device | undefined): Event {
  const { id } = rule.source;
  return {
    // The same for the same tick, so that a tick that is worked through twice does nothing twice.
    id: createHash('sha256')
      .update(`tick ${tick.id} ${account} ${device?.id ?? ''}`)
      .digest('hex'),
    account,
    type: scheduleType(id),
    at: tick.at,
    receivedAt: new Date().toISOString(),
    source: 'schedule',
    data: {
      rule: id,
      scheduled_at: tick.at,
      ...(device && {
        device: {
          id: device.id,
          ...(device.attributes.serial_number && { serial_number: device.attributes.serial_number }),
        },
      }),
    },
  };
}

function settle(error: SimpleMdmError, job: JobHandle<ScheduleJob>, logger: Logger): Outcome {
  const reason = error.message;
  if (error.failure.kind === 'stopped') return { kind: 'handed_back' };
  const waits = error.accountUnavailable;
  if (!waits && (!error.mayPassLater || job.isLastAttempt)) {
    logger.error({ reason }, 'a schedule could not be worked through');
    return { kind: 'dead', reason };
  }
  logger.warn({ reason }, 'a schedule waits');
  return { kind: 'again', at: job.retryAt(error.failure.retryAt), waits, reason };
}

/**
 * Makes the queue's schedulers those of the rules. One that is there already and has not changed is left alone: its next time may be
 * past, and was missed while the service was down; it is then worked through once.
 */
export async function syncSchedules(queue: Queue<ScheduleJob>, rules: readonly Rule[]): Promise<void> {
  const wanted = new Map(
    rules.flatMap(({ source: { id, enabled, schedule } }) =>
      enabled && schedule !== undefined ? [[id, schedule] as const] : [],
    ),
  );
  const existing = await queue.getJobSchedulers(0, -1);
  for (const { key, pattern, tz } of existing) {
    const schedule = wanted.get(key);
    if (schedule?.cron === pattern && schedule?.timezone === tz) wanted.delete(key);
    else if (schedule === undefined) await queue.removeJobScheduler(key);
  }
  for (const [id, { cron, timezone }] of wanted) {
    await queue.upsertJobScheduler(id, { pattern: cron, tz: timezone }, { name: 'tick', data: { rule: id } });
  }
}
