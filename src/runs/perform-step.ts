import { isNativeError } from 'node:util/types';
import { resolveEnvReferences } from '../config/env-reference.js';
import { withoutPendingLists } from '../enrichment/inventory.js';
import { conditionValues } from '../enrichment/rule-values.js';
import type { TextPlace } from '../rules/liquid/text-place.js';
import { templateKey } from '../rules/model/rule.js';
import type { Step } from '../rules/model/rule.js';
import type { Values } from '../rules/model/values.js';
import { errorText } from '../telemetry/error-text.js';
import { RetryLaterError, StepError } from '../actions/action.js';
import type { Action, ActionContext, ActionResult, RenderProblem } from '../actions/action.js';
import { ACTIONS } from '../actions/registry.js';
import { certainValues } from './uncertain-device.js';

/** A step and what it needs. */
export interface StepRequest {
  readonly step: Step;
  /** The event, the facts that the step uses, and `steps`. */
  readonly values: Values;
  /** Whether an empty list of the device may be one that is still on its way. */
  readonly listsMayBeLate?: boolean;
  readonly context: ActionContext;
  /** Start of an attempt whose outcome is unknown; undefined when there was none. */
  readonly inDoubtSince: Date | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Whether the step needs an approval and nobody was asked, because the condition was not true a moment ago. */
  readonly lacksApproval?: boolean | undefined;
}

/**
 * Performs a step: evaluates its condition, renders its arguments, and performs its action.
 *
 * @throws StepError when a retry cannot help; RetryLaterError when a retry can; SimpleMdmError from the API.
 */
export async function performStep(request: StepRequest): Promise<ActionResult> {
  const { step, values, context, inDoubtSince } = request;
  const certain = withoutPendingLists(certainValues(values, context.event), request.listsMayBeLate === true);
  const prepared = preparedStep(step, values, request.env, context.now(), certain);
  if (prepared.kind === 'skipped') return { status: 'skipped', reason: prepared.reason };
  if (request.lacksApproval === true)
    throw new RetryLaterError('run/awaiting-approval', 'the condition became true; asks for an approval');
  const action = actionOf(step);
  const { args, problems } = prepared;
  if (inDoubtSince !== undefined) {
    const earlier = await action.findEarlier?.(args, context, inDoubtSince);
    if (earlier !== undefined) return earlier;
  }
  return action.perform(args, {
    ...context,
    renderProblems: [...(context.renderProblems ?? []), ...problems],
  });
}

/** A step with its condition evaluated and its arguments rendered. */
export type PreparedStep =
  | { readonly kind: 'skipped'; readonly reason: string }
  | {
      readonly kind: 'ready';
      readonly args: Readonly<Record<string, unknown>>;
      /** The arguments that could not be rendered in full, for an action that needs no values. */
      readonly problems: readonly RenderProblem[];
    };

/**
 * Evaluates a step's condition and renders its arguments.
 *
 * @param valuesOfCondition - The values that the condition sees, when they are fewer.
 * @throws StepError when the condition cannot be evaluated or a template cannot be rendered.
 */
export function preparedStep(
  step: Step,
  values: Values,
  env: NodeJS.ProcessEnv,
  now: Date,
  valuesOfCondition: Values = values,
): PreparedStep {
  if (step.condition !== undefined) {
    const known = withoutPendingLists(valuesOfCondition, false);
    const verdict = step.condition.evaluate(conditionValues(known), now);
    if (verdict.result === 'error') throw new StepError('step/condition-failed', `if: ${verdict.reason}`);
    if (verdict.result === 'false') return { kind: 'skipped', reason: verdict.reason };
  }
  const problems: RenderProblem[] = [];
  const { action, args: written } = step.source;
  const { placeOf } = Object.hasOwn(ACTIONS, action) ? (ACTIONS[action] ?? {}) : {};
  const args = Object.entries(written).map(([name, value]): [string, unknown] => {
    const place = placeOf?.(name, written) ?? 'text';
    const source: TextSource = { step, place, values, env };
    return [
      name,
      rendered(
        value,
        name,
        needsNoValues(step)
          ? (text, argument) => availableText(text, argument, source, problems)
          : (text) => renderedText(text, source),
      ),
    ];
  });
  return { kind: 'ready', args: Object.fromEntries(args), problems };
}

/** What a text of an argument is rendered from. */
interface TextSource {
  readonly step: Step;
  readonly place: TextPlace;
  readonly values: Values;
  readonly env: NodeJS.ProcessEnv;
}

/** Whether the action of a step is performed although a template in its arguments fails. */
export function needsNoValues({ source }: Pick<Step, 'source'>): boolean {
  return Object.hasOwn(ACTIONS, source.action) && ACTIONS[source.action]?.needsNoValues === true;
}

function actionOf({ source }: Step): Action {
  const action = Object.hasOwn(ACTIONS, source.action) ? ACTIONS[source.action] : undefined;
  if (action === undefined) throw new StepError('step/unknown-action', `unknown action "${source.action}"`);
  return action;
}

function rendered(value: unknown, path: string, renderText: (text: string, path: string) => string): unknown {
  if (typeof value === 'string') return renderText(value, path);
  if (Array.isArray(value)) return value.map((item, index) => rendered(item, `${path}.${index}`, renderText));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, rendered(member, `${path}.${key}`, renderText)]),
    );
  }
  return value;
}

/** What can be rendered of a text; empty when nothing can. */
function availableText(
  text: string,
  argument: string,
  source: TextSource,
  problems: RenderProblem[],
): string {
  try {
    return renderedText(text, source);
  } catch (error) {
    problems.push({ argument, reason: errorText(isNativeError(error) ? (error.cause ?? error) : error) });
  }
  const { step, place, values, env } = source;
  try {
    return step.templates.get(templateKey(place, text))?.renderAvailable(values, env) ?? '';
  } catch {
    // The problem of the first try says more.
    return '';
  }
}

function renderedText(text: string, { step, place, values, env }: TextSource): string {
  try {
    const template = step.templates.get(templateKey(place, text));
    return template === undefined ? resolveEnvReferences(text, env) : template.render(values, env);
  } catch (error) {
    throw new StepError('step/template-failed', `"${text}": ${errorText(error)}`, { cause: error });
  }
}
