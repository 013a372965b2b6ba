import { z } from 'zod';
import { JOURNAL_LUA } from '../journal/index-lua.js';
import { traceWriting } from '../journal/journal.js';
import { knownTraceFrom, traceWriteArgs } from '../journal/trace-changes.js';
import { journalPrefix, shortId } from '../journal/trace-keys.js';
import type { FactTrace, RunTrace } from '../journal/trace.js';
import { ADD_JOB_LUA } from '../queues/add-job.js';
import type { JobHandle } from '../queues/job-handle.js';
import type { RunJob } from '../queues/jobs.js';
import { defineOwnedScript } from '../queues/owned-script.js';
import type { RetentionDays } from '../queues/retention.js';
import { TAKE_PART_LUA, joinedParts } from '../queues/script-parts.js';
import type { ScriptPart } from '../queues/script-parts.js';
import { defineScript, runScript } from '../queues/script.js';
import type { Shard } from '../queues/shards.js';
import type { Redaction } from '../telemetry/redaction.js';
import { BACKLOG_LUA } from './backlog-script.js';
import { LEAVE_WINDOW_LUA } from './backlog.js';
import { LEAVE_GROUP_LUA, REQUEST_SLOT_LUA } from './concurrency-groups.js';
import type { ConcurrencyGroups, SlotRequest } from './concurrency-groups.js';
import { EVENT_CAUSES_LUA } from './event-causes.js';
import { ADMIT_LUA, REMOVE_WAITING_LUA, admissionFrom } from './run-limits.js';
import type { AdmissionRequest, Refusal, RunLimits } from './run-limits.js';

/*
 * What Redis does for a run, in as few round trips as the guarantees allow: one to begin, one before each call that changes something, one
 * after each step but the last, and one to end.
 */

/** Where the state of runs is. */
export interface RunStore {
  readonly shard: Shard;
  readonly groups: ConcurrencyGroups;
  readonly limits: RunLimits;
  readonly retention: RetentionDays;
  readonly redaction: Redaction;
}

type TraceStore = Pick<RunStore, 'shard' | 'retention' | 'redaction'>;

/** The journal's prefix and what it writes for a run. */
function tracePart(event: string, trace: RunTrace, { shard, retention, redaction }: TraceStore): ScriptPart {
  const writing = traceWriting(retention, redaction.redact);
  return [journalPrefix(shard.prefix), ...traceWriteArgs(event, { runs: [trace] }, writing)];
}

/** What a run needs before its first step, each only if it needs it. */
export interface RunRequest {
  readonly slot: SlotRequest | undefined;
  readonly admission: AdmissionRequest | undefined;
  /** The run as it is once it has started. */
  readonly data: RunJob;
  readonly trace: RunTrace;
}

/** The answer to a {@link RunRequest}. */
export type RunStart =
  /** Another run of the group goes first, or has taken this one's place. */
  | { readonly kind: 'no_slot' }
  | { readonly kind: 'refused'; readonly admission: Refusal }
  | {
      readonly kind: 'begun';
      /** The run that lost the slot to this one. */
      readonly superseded: string | undefined;
      /** The facts that have been looked up for the event. */
      readonly facts: ReadonlyMap<string, FactTrace>;
    };

const BEGIN = defineOwnedScript(
  `${JOURNAL_LUA}${REQUEST_SLOT_LUA}${ADMIT_LUA}`,
  `
local slot, limit_keys, limits, write, id = take_part(), take_part(), take_part(), take_part(), take_part()[1]
local superseded = ''
if slot[1] then
  local answer = request_slot(slot, { unpack(slot, 5) })
  if answer[1] ~= 'acquired' then return { 'no_slot', '', {} } end
  superseded = answer[2]
end
if limit_keys[1] then
  local answer = admit(limit_keys, limits)
  if answer[1] ~= 'admitted' then return { 'refused', '', answer } end
  save_data()
end
journal_write(write[1], write, 2)
return { 'begun', superseded, journal_facts(write[1], id) }`,
);

const beginReply = z.tuple([z.enum(['no_slot', 'refused', 'begun']), z.string(), z.unknown()]);

/**
 * Begins a run: acquires its slot, asks the run limits, and records that it runs.
 *
 * @throws LostJobError when another worker has the run.
 */
export async function beginRun(
  job: JobHandle<RunJob>,
  { slot, admission, data, trace }: RunRequest,
  store: RunStore,
): Promise<RunStart> {
  const { keys, values } =
    admission === undefined ? { keys: [], values: [] } : store.limits.partsOf(admission);
  const parts = [
    slot === undefined ? [] : store.groups.slotPart(slot),
    keys,
    values,
    tracePart(data.event.id, trace, store),
    [shortId(data.event.id)],
  ];
  const [kind, superseded, more] = beginReply.parse(await job.saveWith(BEGIN, data, parts));
  switch (kind) {
    case 'no_slot':
      return { kind };
    case 'refused': {
      const answer = admissionFrom(more);
      if (answer.kind === 'admitted') throw new Error('the script refused a run that was admitted');
      return { kind, admission: answer };
    }
    case 'begun': {
      const { facts } = knownTraceFrom(more);
      return { kind, superseded: superseded === '' ? undefined : superseded, facts };
    }
  }
}

const SAVE = defineOwnedScript(
  `${JOURNAL_LUA}${EVENT_CAUSES_LUA}`,
  `
save_data()
local write, expected = take_part(), take_part()
journal_write(write[1], write, 2)
if expected[1] then expect_event(expected) end
return 1`,
);

/**
 * Saves a run with its job and in its trace. With that, a worker intends a call that changes something: it knows that the run is still its
 * own, and a later attempt knows that the call may have been made.
 *
 * @param expected - The webhook that the call will cause: see `EventCauses`.
 * @throws LostJobError when another worker has the run.
 */
export async function saveRun(
  job: JobHandle<RunJob>,
  data: RunJob,
  trace: RunTrace,
  store: TraceStore,
  expected: ScriptPart = [],
): Promise<void> {
  await job.saveWith(SAVE, data, [tracePart(data.event.id, trace, store), expected]);
}

const END_LUA = `${JOURNAL_LUA}${LEAVE_GROUP_LUA}${REMOVE_WAITING_LUA}${ADD_JOB_LUA}${BACKLOG_LUA}${LEAVE_WINDOW_LUA}`;

const END_BODY = `
local write, group, waiting, place = take_part(), take_part(), take_part(), take_part()
journal_write(write[1], write, 2)
local next = group[1] and leave_group(group, { group[3] }) or ''
remove_waiting(waiting)
if place[1] then leave_window(place) end
return next`;

const END = defineOwnedScript(END_LUA, `save_data()${END_BODY}`);
const END_ABANDONED = defineScript(`${END_LUA}${TAKE_PART_LUA} local take_part = parts_from(1)${END_BODY}`);

/**
 * Ends a run: records its end, and releases its slot, its place among the runs of a held rule, and its place in the window.
 *
 * @param job - Undefined for a run that no worker has any more.
 * @param waiting - Identifies the run for its run limit.
 * @returns The next run of the group, to wake; undefined without one.
 * @throws LostJobError when another worker has the run.
 */
export async function endRun(
  job: JobHandle<RunJob> | undefined,
  data: RunJob,
  trace: RunTrace,
  { run, waiting }: { readonly run: string; readonly waiting: string },
  store: RunStore,
): Promise<string | undefined> {
  const { event, rule, group } = data;
  const parts = [
    tracePart(event.id, trace, store),
    group === undefined ? [] : store.groups.leavePart(group, run),
    store.limits.waitingPart(event.account, rule.id, waiting),
    job?.place?.part ?? [],
  ];
  const next =
    job === undefined
      ? await runScript(
          store.shard.redis,
          END_ABANDONED,
          [journalPrefix(store.shard.prefix)],
          joinedParts(parts),
        )
      : await job.saveWith(END, data, parts);
  job?.place?.left();
  return typeof next === 'string' && next !== '' ? next : undefined;
}
