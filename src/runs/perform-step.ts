import { resolveEnvReferences } from '../config/env-reference.js';
import { conditionValues } from '../enrichment/rule-values.js';
import type { Step } from '../rules/model/rule.js';
import type { Values } from '../rules/model/values.js';
import { errorText } from '../telemetry/error-text.js';
import { StepError } from '../actions/action.js';
import type { Action, ActionContext, ActionResult } from '../actions/action.js';
import { ACTIONS } from '../actions/registry.js';

/** A step and what it needs. */
export interface StepRequest {
  readonly step: Step;
  /** The event, the facts that the step uses, and `steps`. */
  readonly values: Values;
  readonly context: ActionContext;
  /** Start of an attempt whose outcome is unknown; undefined when there was none. */
  readonly inDoubtSince: Date | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Performs a step: evaluates its condition, renders its arguments, and performs its action.
 *
 * @throws StepError when a retry cannot help; RetryLaterError when a retry can; SimpleMdmError from the API.
 */
export async function performStep(request: StepRequest): Promise<ActionResult> {
  const { step, values, context, inDoubtSince } = request;
  const prepared = preparedStep(step, values, request.env, context.now());
  if (prepared.kind === 'skipped') return { status: 'skipped', reason: prepared.reason };
  const action = actionOf(step);
  const { args } = prepared;
  if (inDoubtSince !== undefined) {
    const earlier = await action.findEarlier?.(args, context, inDoubtSince);
    if (earlier !== undefined) return earlier;
  }
  return action.perform(args, context);
}

/** A step with its condition evaluated and its arguments rendered. */
export type PreparedStep =
  | { readonly kind: 'skipped'; readonly reason: string }
  | { readonly kind: 'ready'; readonly args: Readonly<Record<string, unknown>> };

/**
 * Evaluates a step's condition and renders its arguments.
 *
 * @throws StepError when the condition cannot be evaluated or a template cannot be rendered.
 */
export function preparedStep(step: Step, values: Values, env: NodeJS.ProcessEnv, now: Date): PreparedStep {
  if (step.condition !== undefined) {
    const verdict = step.condition.evaluate(conditionValues(values), now);
    if (verdict.result === 'error') throw new StepError('step/condition-failed', `if: ${verdict.reason}`);
    if (verdict.result === 'false') return { kind: 'skipped', reason: verdict.reason };
  }
  const args = Object.entries(step.source.args).map(([name, value]): [string, unknown] => [
    name,
    rendered(value, step, values, env),
  ]);
  return { kind: 'ready', args: Object.fromEntries(args) };
}

function actionOf({ source }: Step): Action {
  const action = Object.hasOwn(ACTIONS, source.action) ? ACTIONS[source.action] : undefined;
  if (action === undefined) throw new StepError('step/unknown-action', `unknown action "${source.action}"`);
  return action;
}

function rendered(value: unknown, step: Step, values: Values, env: NodeJS.ProcessEnv): unknown {
  if (typeof value === 'string') return renderedText(value, step, values, env);
  if (Array.isArray(value)) return value.map((item) => rendered(item, step, values, env));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, rendered(member, step, values, env)]),
    );
  }
  return value;
}

function renderedText(text: string, step: Step, values: Values, env: NodeJS.ProcessEnv): string {
  try {
    const template = step.templates.get(text);
    return template === undefined ? resolveEnvReferences(text, env) : template.render(values, env);
  } catch (error) {
    throw new StepError('step/template-failed', `"${text}": ${errorText(error)}`, { cause: error });
  }
}
