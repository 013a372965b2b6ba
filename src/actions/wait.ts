import { z } from 'zod';
import { isRetryable } from '../enrichment/fetch-facts.js';
import { LookupUnavailableError } from '../lookups/http-lookup.js';
import { durationText, waitText } from '../rules/model/duration.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { StepError, defineAction } from './action.js';
import type { ActionContext, ActionResult } from './action.js';

const SECOND_MS = 1000;
/** Each look costs API calls. */
const MIN_EVERY_MS = 15 * SECOND_MS;
const DEFAULT_EVERY_MS = 60 * SECOND_MS;
const DEFAULT_TIMEOUT_MS = 86_400 * SECOND_MS;

const EXPECTED = 'expected how long to wait, such as wait: 10m, or a condition, such as wait: { until: … }';

/** Delays the next step: for a time, or until a condition is true. */
export const wait = defineAction({
  about:
    'Waits before the next step: `wait: 10m`. With `until`, waits until a condition is true: the service looks again `every` minute (default: 1m, at least 15s) with fresh facts, and the step fails after `timeout` (default: 1d). The wait survives restarts, and no worker is busy meanwhile. Later steps look up their facts again.',
  example: "wait: { until: 'device.last_seen_at > timestamp(event.at)', every: 1m, timeout: 2h }",
  args: z
    .strictObject({
      for: waitText.optional(),
      until: z.string('expected a condition').min(1, 'expected a condition').optional(),
      every: durationText
        .refine((ms) => ms >= MIN_EVERY_MS, 'expected at least 15s: each look costs API calls')
        .optional(),
      timeout: waitText.optional(),
    })
    .superRefine(({ for: duration, until, every, timeout }, context) => {
      const problem = (message: string, path: string[] = []): void =>
        context.addIssue({ code: 'custom', message, path });
      if (duration === undefined && until === undefined) problem(EXPECTED);
      else if (duration !== undefined && until !== undefined)
        problem('expected for or until, not both', ['until']);
      else if (until === undefined && every !== undefined) problem('every needs until', ['every']);
      else if (until === undefined && timeout !== undefined) problem('timeout needs until', ['timeout']);
    }),
  shorthand: 'for',
  outputs: { waited_seconds: 'number', looks: 'number' },
  facts: [],
  conditions: ['until'],
  perform: ({ for: ms, until, every, timeout }, context) => {
    if (until === undefined) return Promise.resolve(waitFor(ms ?? 0, context));
    return waitUntil(until, { every, timeout }, context);
  },
});

const secondsSince = (start: Date, now: number): number => Math.round((now - start.getTime()) / SECOND_MS);

function waitFor(ms: number, { startedAt, now }: ActionContext): ActionResult {
  const until = startedAt.getTime() + ms;
  const at = now().getTime();
  const output = { waited_seconds: secondsSince(startedAt, at), looks: 0 };
  if (at >= until) return { status: 'completed', output };
  const reason = `waits until ${new Date(until).toISOString()}`;
  return { status: 'waiting', until, reason, output };
}

const looksBefore = z.looseObject({ looks: z.int() });

/** Looks at the condition. A condition that is unknown is not true yet, and so is one whose facts are unavailable now. */
async function waitUntil(
  condition: string,
  {
    every = DEFAULT_EVERY_MS,
    timeout = DEFAULT_TIMEOUT_MS,
  }: { readonly every: number | undefined; readonly timeout: number | undefined },
  context: ActionContext,
): Promise<ActionResult> {
  const { startedAt, now, previousOutput } = context;
  const looks = (looksBefore.safeParse(previousOutput).data?.looks ?? 0) + 1;
  const found = await lookAt(context);
  const at = now().getTime();
  const output = { waited_seconds: secondsSince(startedAt, at), looks };
  if (found.isTrue) return { status: 'completed', output };
  const deadline = startedAt.getTime() + timeout;
  if (at >= deadline) {
    const reason = `not true within ${timeout / SECOND_MS} s (timeout): ${found.reason}`;
    return { status: 'failed', reason, code: 'step/timeout', output };
  }
  const until = Math.min(Math.max(at + every, found.notBefore), deadline);
  const next = new Date(until).toISOString();
  return {
    status: 'waiting',
    until,
    reason: `waits until ${condition}: ${found.reason}, next look ${next}`,
    output,
  };
}

/** What a look found. */
interface Look {
  readonly isTrue: boolean;
  readonly reason: string;
  /** The earliest time for the next look that the service which is unavailable asked for, in epoch milliseconds. */
  readonly notBefore: number;
}

async function lookAt({ look }: ActionContext): Promise<Look> {
  try {
    const result = await look('until');
    if (result.result === 'error') throw new StepError('step/condition-failed', `until: ${result.reason}`);
    const reason = result.result === 'true' ? '' : result.reason;
    return { isTrue: result.result === 'true', reason, notBefore: 0 };
  } catch (error) {
    // The stop of the process hands the job back; the next worker looks again.
    if (error instanceof LookupUnavailableError)
      return { isTrue: false, reason: error.message, notBefore: error.notBefore };
    if (!(error instanceof SimpleMdmError) || error.failure.kind === 'stopped' || !isRetryable(error))
      throw error;
    return { isTrue: false, reason: error.message, notBefore: error.failure.retryAt ?? 0 };
  }
}
