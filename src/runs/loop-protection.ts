import type { AlertDispatcher } from '../alerts/alert-dispatcher.js';
import { ACTIONS } from '../actions/registry.js';
import type { EventCauses } from '../coordination/event-causes.js';
import { deviceIdOf } from '../enrichment/event-device.js';
import type { FactFetcher } from '../enrichment/fetch-facts.js';
import type { EventCause, Event } from '../events/envelope.js';
import { inLane } from '../queues/jobs.js';
import type { Lane } from '../queues/jobs.js';
import type { ScriptPart } from '../queues/script-parts.js';
import type { Logger } from '../telemetry/logger.js';
import type { Metrics } from '../telemetry/metrics.js';

/** This many events in a row may be caused by rules. More are a loop. */
const MAX_CHAIN_LENGTH = 3;

/** Whether an event ends a chain of self-caused events that is too long. No rule runs for such an event. */
export function isChainTooLong({ chainLength }: EventCause): boolean {
  return chainLength > MAX_CHAIN_LENGTH;
}

/** What {@link reportCutChain} reports to. */
export interface LoopReportOptions {
  readonly alerts: AlertDispatcher;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Reports an event that ends a chain that is too long: in the log, the metrics, and as an alert. */
export async function reportCutChain(
  { id, account, type, causedBy }: Event,
  { alerts, metrics, logger }: LoopReportOptions,
): Promise<void> {
  if (causedBy === undefined || !isChainTooLong(causedBy)) return;
  metrics.eventChainsCut.inc({ rule: causedBy.rule });
  logger.error(
    { code: 'event/chain-cut', ...causedBy },
    'rules cause each other in a loop: the chain is cut',
  );
  await alerts.dispatchServiceAlert({
    id: `chain:${id}`,
    kind: 'chain',
    account,
    rule: causedBy.rule,
    event: { id, type },
    title: 'Rules cause each other in a loop',
    text: `${causedBy.chainLength} events in a row were caused by rules, the last one by ${causedBy.rule}. No rule ran for this ${type}.`,
    severity: 'critical',
  });
}

/** The run that performs an action. */
export interface ActingRun {
  readonly event: Event;
  readonly rule: string;
  readonly lane: Lane;
  readonly facts: FactFetcher;
  readonly causes: EventCauses;
}

/** A webhook that an action will cause. */
export interface ExpectedEvent {
  /** For the script that saves the step before its action: see `EventCauses`. */
  readonly part: ScriptPart;
  /** Call it when the action has failed. */
  readonly cancel: () => Promise<void>;
}

/** The webhook that an action will cause, so that rules ignore it; undefined when it causes none. */
export async function expectEventOf(
  action: string,
  { event, rule, lane, facts, causes }: ActingRun,
): Promise<ExpectedEvent | undefined> {
  const type = Object.hasOwn(ACTIONS, action) ? ACTIONS[action]?.causes : undefined;
  const deviceId = type === undefined ? undefined : await deviceIdOf({ event, fact: facts.fetch });
  if (type === undefined || deviceId === undefined) return undefined;
  const cause = {
    event: event.id,
    rule,
    chainLength: (event.causedBy?.chainLength ?? 0) + 1,
    ...inLane(lane),
  };
  return {
    part: causes.expectPart(event.account, type, deviceId, cause),
    cancel: () => causes.cancel(event.account, type, deviceId, cause),
  };
}
