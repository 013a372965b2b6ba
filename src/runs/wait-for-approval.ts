import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { AlertDispatcher } from '../alerts/alert-dispatcher.js';
import type { ApprovalDecision, ApprovalRequest, Approvals } from '../coordination/approvals.js';
import { canonicalJson } from '../events/fingerprint.js';
import { deviceReferenceOf } from '../events/webhook-types.js';
import type { Journal } from '../journal/journal.js';
import type { JobOutcome, JobRetry } from '../queues/job-outcome.js';
import type { ApprovalRecord } from '../queues/jobs.js';
import { recheckInterval } from '../queues/recheck-interval.js';
import type { ApprovalSource } from '../rules/model/approval-schema.js';
import type { RuleSource, StepSource } from '../rules/model/rule-schema.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { RunReason, RunSession } from './run-session.js';

/** Where approvals are asked for and kept. */
export interface ApprovalContext {
  readonly approvals: Approvals;
  readonly alerts: AlertDispatcher;
  readonly journal: Journal;
  readonly metrics: Metrics;
  /** `PUBLIC_URL`: without it, the message has no link. */
  readonly publicUrl: string | undefined;
}

/** The answer to a question: the run may go on, waits, or ends. */
export type ApprovalResult =
  | {
      readonly kind: 'approved';
      /** Whether the answer has just come: what was looked up before may be outdated. */
      readonly isNew?: boolean;
    }
  | { readonly kind: 'waiting'; readonly retry: JobRetry }
  | { readonly kind: 'rejected'; readonly why: RunReason };

/** The approvals of the steps of a run. */
export interface StepApprovals {
  readonly isNeeded: (step: StepSource, index: number) => boolean;
  /** Asks for the approval of a step that needs one, or looks for the answer. */
  readonly ask: (step: StepSource, index: number) => Promise<ApprovalResult>;
}

/** Whoever decides wakes the run; the recheck is for a wake-up that is lost. */
const RECHECK = { share: 0.05, minMs: 1000, maxMs: 60_000 };

/** The `place` of a question that is asked before the first step. */
const BEFORE_RUN = 'run';

/** More of an argument does not help to decide. */
const MAX_ARGS_LENGTH = 300;

/**
 * Asks people before the first step of a run.
 *
 * @param rule - The rule as the run performs it.
 * @returns The outcome of a run that waits or ends; undefined when the run may go on.
 */
export async function waitForRunApproval(
  rule: RuleSource,
  run: RunSession,
  context: ApprovalContext,
): Promise<JobOutcome | undefined> {
  const { steps, edge, replays = 0 } = run.data();
  // The steps of on_clear have approvals of their own.
  if (edge?.kind === 'clear') return undefined;
  // A run that has begun was approved. A replay may have other steps by now, which nobody has approved.
  if (replays === 0 && steps.some(({ status }) => status !== 'pending')) return undefined;
  // Whoever adds an approval to a rule also means the runs that wait.
  const approve = rule.approve ?? run.currentRule?.approve;
  if (approve === undefined) return undefined;
  const result = await askFor(approve, BEFORE_RUN, rule.do, run, context);
  switch (result.kind) {
    case 'approved':
      return undefined;
    case 'waiting': {
      const { retry } = result;
      return retry.kind === 'requeue'
        ? retry
        : run.wait(retry.at, { reason: retry.reason, ...(retry.code !== undefined && { code: retry.code }) });
    }
    case 'rejected':
      return run.skip(result.why);
  }
}

/** The approval that a step needs: its own, or the one that the current rule has added to it. */
export function approvalOfStep(
  step: StepSource,
  index: number,
  { currentRule, data }: Pick<RunSession, 'currentRule' | 'data'>,
): ApprovalSource | undefined {
  const steps = data().edge?.kind === 'clear' ? currentRule?.onClear : currentRule?.do;
  const current = steps?.[index];
  return step.approve ?? (current?.action === step.action ? current.approve : undefined);
}

/**
 * Asks people before some steps, and looks for their answer.
 *
 * @param place - Where in the run: tells the questions of a run apart.
 */
export async function askFor(
  approve: ApprovalSource,
  place: string,
  steps: readonly StepSource[],
  run: RunSession,
  context: ApprovalContext,
): Promise<ApprovalResult> {
  // Who approved other steps did not approve these.
  const withdrawn = (run.data().approvals ?? []).filter(({ answer }) => answer === 'withdrawn').length;
  const id = idOf(run.job.id, place, steps, withdrawn);
  const known = run.data().approvals?.find((record) => record.id === id);
  if (known?.answer !== undefined) return resultOf(known, approve);
  const asked =
    known === undefined ? await ask(approve, id, steps, run, context) : await context.approvals.find(id);
  // Redis lost the question, or it was asked too long ago.
  const { request, decision } = asked ?? (await ask(approve, id, steps, run, context));
  const record: ApprovalRecord = known ?? {
    id,
    place,
    requestedAt: request.requestedAt,
    expiresAt: request.expiresAt,
  };
  const final = decision ?? (await expire(request, context.approvals));
  const kept = (run.data().approvals ?? []).filter((other) => other.id !== id);
  if (final === undefined) {
    if (known === undefined) {
      run.update({ approvals: [...kept, record] });
      await run.save();
    }
    const at = Math.min(
      Date.parse(request.expiresAt),
      Date.now() + recheckInterval(Date.parse(request.requestedAt), RECHECK),
    );
    const reason = `waits until ${request.expiresAt} for an approval (${id})`;
    return {
      kind: 'waiting',
      retry: { kind: 'retry', at, countsAttempt: false, reason, code: 'run/awaiting-approval' },
    };
  }
  const answered: ApprovalRecord = { ...record, ...final };
  run.update({ approvals: [...kept, answered] });
  await run.save();
  // The run failed while it waited, and is replayed: people are asked again.
  if (final.answer === 'withdrawn') return askFor(approve, place, steps, run, context);
  context.metrics.approvals.inc({ rule: request.rule, answer: final.answer });
  run.logger.info({ approval: id, ...final }, 'approval answered');
  const result = resultOf(answered, approve);
  return result.kind === 'approved' ? { kind: 'approved', isNew: true } : result;
}

/** Lets a question end whose time is over. */
async function expire(request: ApprovalRequest, approvals: Approvals): Promise<ApprovalDecision | undefined> {
  if (Date.now() < Date.parse(request.expiresAt)) return undefined;
  const result = await approvals.decide(request.id, { answer: 'expired', at: request.expiresAt });
  return result?.decision;
}

function resultOf(
  { answer, by, via, expiresAt }: ApprovalRecord,
  { onTimeout }: ApprovalSource,
): ApprovalResult {
  if (answer === 'approved' || (answer === 'expired' && onTimeout === 'proceed')) return { kind: 'approved' };
  const why: RunReason =
    answer === 'rejected'
      ? {
          reason: `rejected by ${by ?? 'somebody'}${via === undefined ? '' : ` (${via})`}`,
          code: 'run/rejected',
        }
      : { reason: `nobody approved until ${expiresAt}`, code: 'run/approval-expired' };
  return { kind: 'rejected', why };
}

function idOf(run: string, place: string, steps: readonly StepSource[], withdrawn: number): string {
  // The id is typed by people, and alone it opens nothing.
  return createHash('sha256')
    .update(canonicalJson([run, place, steps, withdrawn]))
    .digest('hex')
    .slice(0, 12);
}

const named = z.looseObject({ name: z.string().nullish(), serial_number: z.string().nullish() });

async function ask(
  approve: ApprovalSource,
  id: string,
  steps: readonly StepSource[],
  run: RunSession,
  context: ApprovalContext,
): ReturnType<Approvals['ask']> {
  const { event, rule } = run.data();
  const reference = deviceReferenceOf(event);
  const device = named.safeParse((await context.journal.factsOf(event.id)).get('device')?.value).data;
  const name = device?.name ?? undefined;
  const serialNumber = device?.serial_number ?? reference?.serialNumber;
  const deviceId = reference?.id;
  const now = Date.now();
  const asked = await context.approvals.ask({
    id,
    account: event.account,
    rule: rule.id,
    ...(rule.description !== undefined && { description: rule.description }),
    event: { id: event.id, type: event.type },
    ...((reference !== undefined || device !== undefined) && {
      device: {
        ...(deviceId !== undefined && { id: deviceId }),
        ...(name !== undefined && { name }),
        ...(serialNumber !== undefined && { serialNumber }),
      },
    }),
    steps: steps.map(({ action, args }) => ({ action, args: argsText(args) })),
    channel: approve.channel,
    run: run.job.id,
    requestedAt: new Date(now).toISOString(),
    expiresAt: new Date(now + approve.timeoutMs).toISOString(),
    onTimeout: approve.onTimeout,
  });
  // Each attempt dispatches the alert, because the worker may have died before. The id makes it one alert.
  if (asked.decision === undefined) await context.alerts.dispatch(alertOf(asked.request, context));
  return asked;
}

function argsText(args: StepSource['args']): string {
  if (Object.keys(args).length === 0) return '';
  const text = Object.entries(args)
    .map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
  return text.length <= MAX_ARGS_LENGTH ? text : `${text.slice(0, MAX_ARGS_LENGTH)}…`;
}

function alertOf(
  {
    id,
    account,
    rule,
    description,
    event,
    device,
    steps,
    channel,
    requestedAt,
    expiresAt,
    onTimeout,
  }: ApprovalRequest,
  { publicUrl }: ApprovalContext,
): Parameters<AlertDispatcher['dispatch']>[0] {
  const target =
    device?.name ?? device?.serialNumber ?? (device?.id === undefined ? undefined : `device ${device.id}`);
  const actions = [...new Set(steps.map(({ action }) => action))].join(', ');
  const where = publicUrl === undefined ? 'the console or' : 'the link, the console, or';
  const otherwise = onTimeout === 'drop' ? 'the steps do not run' : 'the steps run';
  return {
    id: `approval:${id}`,
    channel,
    account,
    rule,
    ...(description !== undefined && { description }),
    event,
    ...(device && {
      device: {
        ...(device.id !== undefined && { id: device.id }),
        ...(device.name !== undefined && { name: device.name }),
      },
    }),
    title: `Approve ${actions}${target === undefined ? '' : ` for ${target}`}?`,
    text: [
      ...steps.map(({ action, args }) => `• ${action}${args === '' ? '' : `: ${args}`}`),
      '',
      `Decide until ${expiresAt}, with ${where} "mdm-reflex approvals approve ${id}" or "mdm-reflex approvals reject ${id}". Otherwise ${otherwise}.`,
    ].join('\n'),
    severity: 'warning',
    labels: {},
    immediate: true,
    approval: id,
    at: requestedAt,
  };
}
