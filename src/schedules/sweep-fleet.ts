import { createHash } from 'node:crypto';
import type { Event } from '../events/envelope.js';
import type { FactTrace } from '../journal/trace.js';
import type { SweepJob, SweepProgress } from '../queues/jobs.js';
import { scheduleType } from '../rules/model/event-pattern.js';
import type { Rule } from '../rules/model/rule.js';
import type { SimpleMdm } from '../simplemdm/client.js';
import type { Device } from '../simplemdm/devices.js';
import type { Directory } from '../simplemdm/directory.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { evaluateRules } from '../runs/evaluate-rules.js';
import { deviceFacts } from '../enrichment/device.js';
import { createFactFetcher } from '../enrichment/fetch-facts.js';

/** A rule whose time has come in an account, and how far it has come. */
export interface Sweep {
  readonly rule: Rule;
  readonly account: string;
  readonly tick: SweepJob['tick'];
  readonly api: SimpleMdm;
  readonly directory: Directory;
  /** Where an earlier attempt came to. */
  readonly progress: SweepProgress | undefined;
  /** Keeps how far it is now. */
  readonly save: (progress: SweepProgress) => Promise<void>;
  /** Raises an event, with what is known of its device. Raising the same one twice must do no harm. */
  readonly emit: (event: Event, device: FactTrace | undefined) => Promise<void>;
}

/** So many devices of a page are decided at once. */
const DEVICES_AT_ONCE = 10;

/**
 * Raises the event of a rule whose time has come; for a rule over the devices, one for each device that its condition lets through. The
 * fleet is gone through page by page with what the list says of each device, and goes on where it was after a restart.
 *
 * @returns How many devices were looked at and how many events were raised.
 * @throws SimpleMdmError when the list cannot be had or the account cannot be used now; what was done until then is kept.
 */
export async function sweepFleet(given: Sweep): Promise<SweepProgress> {
  if (given.rule.source.schedule?.forEach === undefined) {
    await given.emit(tickEvent(given, undefined), undefined);
    return { looked: 0, raised: 1 };
  }
  let progress = given.progress ?? { looked: 0, raised: 0 };
  for (;;) {
    const { after } = progress;
    const page = await given.api.devices.listPage(after === undefined ? {} : { startingAfter: after });
    for (let start = 0; start < page.data.length; start += DEVICES_AT_ONCE) {
      const devices = page.data.slice(start, start + DEVICES_AT_ONCE);
      const raised = await evaluateDevices(given, devices);
      const last = devices.at(-1)?.id;
      progress = {
        looked: progress.looked + devices.length,
        raised: progress.raised + raised,
        ...(last !== undefined && { after: last }),
      };
      await given.save(progress);
    }
    if (!page.hasMore || page.data.length === 0) return progress;
  }
}

/** How many of the devices had an event raised. Ends when all have been looked at, so that nothing goes on behind a failure. */
async function evaluateDevices(given: Sweep, devices: readonly Device[]): Promise<number> {
  const looks = await Promise.allSettled(devices.map((device) => evaluateDevice(given, device)));
  const failed = looks.find((look) => look.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return looks.filter((look) => look.status === 'fulfilled' && look.value).length;
}

/** Whether the rule takes the device; then its event has been raised. */
async function evaluateDevice(given: Sweep, device: Device): Promise<boolean> {
  const { rule, api, directory } = given;
  const event = tickEvent(given, device);
  const known: FactTrace = {
    status: 'found',
    value: deviceFacts(device),
    fetchedAt: new Date().toISOString(),
    durationMs: 0,
    calls: [],
  };
  const facts = createFactFetcher({
    event,
    api,
    directory,
    known: new Map([['device', known]]),
    onFact: () => Promise.resolve(),
  });
  // As far as its condition: what its steps need is looked up when they are due.
  const [decision] = await evaluateRules(event, [{ ...rule, stepFacts: new Set() }], facts);
  if (decision?.verdict === 'waiting' && isAccountFailure(decision.cause)) throw decision.cause;
  if (decision === undefined || decision.verdict === 'not_matched' || decision.verdict === 'disabled')
    return false;
  // One that cannot be decided (now) is raised as well: its event waits for the fact, its trace says why, and the others go on.
  await given.emit(event, known);
  return true;
}

/** Whether it would go no better with the next device. */
function isAccountFailure(cause: unknown): boolean {
  return cause instanceof SimpleMdmError && (cause.isAccountUnavailable || cause.failure.kind === 'stopped');
}

function tickEvent(
  { rule, account, tick }: Pick<Sweep, 'rule' | 'account' | 'tick'>,
  device: Device | undefined,
): Event {
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
