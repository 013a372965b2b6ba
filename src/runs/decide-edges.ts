import { z } from 'zod';
import type { RaisedDevices } from '../coordination/raised-devices.js';
import type { FactFetcher } from '../enrichment/fetch-facts.js';
import type { Event } from '../events/envelope.js';
import { deviceReferenceOf } from '../events/webhook-types.js';
import type { EdgeMode, Raise } from '../queues/jobs.js';
import type { RuleSource } from '../rules/model/rule-schema.js';
import type { Decision } from './evaluate-rules.js';

/** What the decision on an edge needs. */
export interface EdgeContext {
  readonly raised: RaisedDevices;
  readonly facts: Pick<FactFetcher, 'fetch'>;
  /** Whether every run is a dry run. */
  readonly readOnly: boolean;
}

/** Whether the runs of a rule are live: a dry run has its own edges. */
export function edgeModeOf({ mode }: Pick<RuleSource, 'mode'>, readOnly: boolean): EdgeMode {
  return readOnly || mode === 'dry_run' ? 'dry_run' : 'live';
}

/**
 * Turns levels into edges, for rules with `when: becomes_true`: a rule whose condition was true before does not match again, and one whose
 * condition is false again is cleared. A condition that is unknown, fails, or waits for a fact changes nothing.
 */
export async function decideEdges(
  decisions: readonly Decision[],
  event: Event,
  context: EdgeContext,
): Promise<Decision[]> {
  return Promise.all(decisions.map((decision) => decideEdge(decision, event, context)));
}

async function decideEdge(decision: Decision, event: Event, context: EdgeContext): Promise<Decision> {
  const { rule, verdict, reason, unknown } = decision;
  const { source } = rule;
  const device = deviceReferenceOf(event)?.id;
  if (source.when === undefined || device === undefined) return decision;
  // The rule does not look at this account, so it says nothing about its devices.
  if (source.accounts?.includes(event.account) === false) return decision;
  const isTrue = verdict === 'matched';
  const isFalse = verdict === 'not_matched' && unknown !== true && decision.code === undefined;
  if (!isTrue && !isFalse) return decision;
  const scope = {
    account: event.account,
    rule: source.id,
    mode: edgeModeOf(source, context.readOnly),
  };
  const result = await context.raised.decide(scope, {
    device,
    isTrue,
    raise: isTrue ? await raiseOf(event, context) : { event: event.id, at: event.at },
    // A person who replays everything wants the steps again.
    again: event.source === 'replay',
  });
  if (result.kind === 'none') return { ...decision, verdict: 'not_matched', reason };
  const { kind, raised } = result;
  const since = `since ${raised.at} (event ${raised.event.slice(0, 12)})`;
  switch (kind) {
    case 'raise':
      return {
        ...decision,
        verdict: 'matched',
        reason: isTrue ? `${reason}, and was not before` : `it was true when the event came: ${reason}`,
        edge: { kind, mode: scope.mode, device, raised },
      };
    case 'kept':
      return { ...decision, verdict: 'not_matched', reason: `${reason}, as it has been ${since}` };
    case 'clear': {
      const steps = source.onClear === undefined ? 'the rule has no on_clear' : 'on_clear runs';
      return {
        ...decision,
        verdict: 'cleared',
        reason: `${reason}; it was true ${since}: ${steps}`,
        edge: { kind, mode: scope.mode, device, raised },
      };
    }
  }
}

const named = z.looseObject({ name: z.string().nullish(), serial_number: z.string().nullish() }).nullable();

/** What people see in the list of raised devices. The sweep has the device; for a replay, the serial number is enough. */
async function raiseOf(event: Event, { facts }: EdgeContext): Promise<Raise> {
  const device = named.safeParse(await facts.fetch('device').catch(() => null)).data;
  const name = device?.name ?? undefined;
  const serialNumber = device?.serial_number ?? deviceReferenceOf(event)?.serialNumber;
  return {
    event: event.id,
    at: event.at,
    ...(name !== undefined && { name }),
    ...(serialNumber !== undefined && { serialNumber }),
  };
}
