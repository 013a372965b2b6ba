import { createHash } from 'node:crypto';
import type { Event } from '../events/envelope.js';
import type { FactTrace } from '../journal/trace.js';
import type { SweepJob, SweepProgress } from '../queues/jobs.js';
import { scheduleType } from '../rules/model/event-pattern.js';
import type { Rule } from '../rules/model/rule.js';
import { recordWarnings } from '../simplemdm/answer-warnings.js';
import type { AnswerWarning } from '../simplemdm/answer-warnings.js';
import type { SimpleMdm } from '../simplemdm/client.js';
import type { Device } from '../simplemdm/devices.js';
import type { CachedLists } from '../simplemdm/cached-lists.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { LookupUnavailableError } from '../lookups/http-lookup.js';
import type { Lookups } from '../lookups/lookups.js';
import { evaluateRules } from '../runs/evaluate-rules.js';
import type { Decision } from '../runs/evaluate-rules.js';
import { deviceNotes, deviceValue } from '../enrichment/device.js';
import { createFactFetcher, shortened } from '../enrichment/fetch-facts.js';

/** One tick of a rule in one account. */
export interface Sweep {
  readonly rule: Rule;
  readonly account: string;
  readonly tick: SweepJob['tick'];
  readonly api: SimpleMdm;
  readonly lists: CachedLists;
  readonly lookups?: Lookups;
  /** The progress of an earlier attempt. */
  readonly progress: SweepProgress | undefined;
  readonly save: (progress: SweepProgress) => Promise<void>;
  /** The raised devices of a rule with `when`; undefined for other rules. */
  readonly edges?: SweepEdges | undefined;
  /** Emits an event with the fact of its device. Emitting the same event twice must do nothing. */
  readonly emit: (event: Event, device: FactTrace | undefined) => Promise<void>;
}

/** What a sweep has done. */
export interface SweepResult extends SweepProgress {
  /** Why the sweep ended before the end of the device list; undefined when the sweep is complete. */
  readonly incomplete?: string;
}

/** The raised devices, as a sweep sees them. */
export interface SweepEdges {
  /** Called before the first page. */
  readonly start: () => Promise<void>;
  /** Those of the devices that are raised. */
  readonly raisedAmong: (devices: readonly number[]) => Promise<ReadonlySet<number>>;
  /** Called when the devices have been evaluated. */
  readonly markSeen: (devices: readonly number[]) => Promise<void>;
  /** Called when the list lacks devices: {@link SweepEdges.finish} then drops none. */
  readonly keepAll: () => Promise<void>;
  /** Called behind the last page: drops the devices that were on none. */
  readonly finish: () => Promise<void>;
}

/** How many devices of a page are evaluated concurrently. */
const BATCH_SIZE = 10;

/**
 * Emits the event of a scheduled rule. With `for_each: devices`, evaluates each device and emits one event per device that matches. Reads
 * the device list page by page, uses its data as the device fact, and continues from the saved progress after a restart.
 *
 * @returns What was done. When the list of devices does not come to an end, the sweep ends with what the list gave (`incomplete`): the next
 *   tick tries again, and a sweep that started anew by itself would never end.
 * @throws SimpleMdmError when the list or the account is unavailable, LookupUnavailableError when a lookup is. The progress until then is
 *   saved.
 */
export async function sweepFleet(sweep: Sweep): Promise<SweepResult> {
  if (sweep.rule.source.schedule?.forEach === undefined) {
    await sweep.emit(tickEvent(sweep, undefined), undefined);
    return { evaluated: 0, emitted: 1 };
  }
  const warnings: AnswerWarning[] = [];
  return recordWarnings(warnings, () => sweepDevices(sweep, warnings));
}

/** @param warnings - Filled as the pages of the list are read. */
async function sweepDevices(sweep: Sweep, warnings: AnswerWarning[]): Promise<SweepResult> {
  let progress = sweep.progress ?? { evaluated: 0, emitted: 0 };
  if (sweep.progress === undefined) await sweep.edges?.start();
  try {
    for await (const page of sweep.api.devices.pages(progress.lastDeviceId)) {
      const pageWarnings = warnings.splice(0);
      await keepUnreadable(sweep, pageWarnings);
      for (let start = 0; start < page.length; start += BATCH_SIZE) {
        const devices = page.slice(start, start + BATCH_SIZE);
        const emitted = await evaluateDevices(sweep, devices, pageWarnings);
        await sweep.edges?.markSeen(devices.map(({ id }) => id));
        const last = devices.at(-1)?.id;
        progress = {
          evaluated: progress.evaluated + devices.length,
          emitted: progress.emitted + emitted,
          ...(last !== undefined && { lastDeviceId: last }),
        };
        await sweep.save(progress);
      }
    }
  } catch (error) {
    if (!(error instanceof SimpleMdmError) || error.failure.kind !== 'incomplete') throw error;
    return { ...progress, incomplete: error.message };
  }
  await keepUnreadable(sweep, warnings);
  // An account without any device is more likely a mistake than a fleet that has left.
  if (progress.evaluated > 0) await sweep.edges?.finish();
  return progress;
}

/** A record that cannot be read may be that of a raised device. */
async function keepUnreadable({ edges }: Sweep, warnings: readonly AnswerWarning[]): Promise<void> {
  if (warnings.some(({ kind }) => kind !== 'unreadable_field')) await edges?.keepAll();
}

/** Returns how many devices match. Waits for all of them even when one fails, so that nothing runs on after the failure. */
async function evaluateDevices(
  sweep: Sweep,
  devices: readonly Device[],
  warnings: readonly AnswerWarning[],
): Promise<number> {
  const raised = await sweep.edges?.raisedAmong(devices.map(({ id }) => id));
  const results = await Promise.allSettled(
    devices.map((device) =>
      evaluateDevice(sweep, device, {
        warnings: warnings.filter(({ recordId }) => recordId === device.id),
        isRaised: raised?.has(device.id) === true,
      }),
    ),
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return results.filter((result) => result.status === 'fulfilled' && result.value).length;
}

/** What a sweep knows of a device beside its record. */
interface OfDevice {
  readonly warnings: readonly AnswerWarning[];
  /** For a rule with `when`: whether the condition was true before. */
  readonly isRaised: boolean;
}

/** Emits the event of a device that matches, or whose edge may have come. Returns whether there is an event. */
async function evaluateDevice(
  sweep: Sweep,
  device: Device,
  { warnings: ofDevice, isRaised }: OfDevice,
): Promise<boolean> {
  const { rule, api, lists, lookups } = sweep;
  const event = tickEvent(sweep, device);
  const warnings = shortened([...deviceNotes(device), ...ofDevice.map(({ text }) => text)]);
  const known: FactTrace = {
    status: 'found',
    value: deviceValue(device),
    fetchedAt: new Date().toISOString(),
    durationMs: 0,
    calls: [],
    ...(warnings.length > 0 && { warnings }),
  };
  const facts = createFactFetcher({
    event,
    api,
    lists,
    ...(lookups && { lookups }),
    known: new Map([['device', known]]),
    onFact: () => Promise.resolve(),
  });
  // Only the condition: the event looks up the facts of its steps itself.
  const [decision] = await evaluateRules(event, [{ ...rule, stepFacts: new Set() }], facts);
  if (decision?.cause !== undefined && affectsAllDevices(decision.cause)) throw decision.cause;
  if (decision === undefined || !needsEvent(decision, isRaised)) return false;
  // A device that cannot be evaluated also gets an event: the event waits for the fact, and its trace tells why.
  await sweep.emit(event, known);
  return true;
}

/** The event decides on the edge itself: this only spares the events that would change nothing. */
function needsEvent({ verdict, unknown }: Decision, isRaised: boolean): boolean {
  if (verdict === 'matched') return !isRaised;
  if (verdict === 'not_matched') return isRaised && unknown !== true;
  return verdict !== 'disabled';
}

function affectsAllDevices(cause: SimpleMdmError | LookupUnavailableError): boolean {
  return (
    cause instanceof LookupUnavailableError || cause.isAccountUnavailable || cause.failure.kind === 'stopped'
  );
}

function tickEvent(
  { rule, account, tick }: Pick<Sweep, 'rule' | 'account' | 'tick'>,
  device: Device | undefined,
): Event {
  const { id } = rule.source;
  return {
    // A tick that is processed twice has the same event id, so its events are enqueued once.
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
