import { resolveEnvReferences } from '../config/env-reference.js';
import { conditionValues } from '../enrichment/rule-values.js';
import type { Step } from '../rules/model/rule.js';
import type { Values } from '../rules/model/values.js';
import { errorText } from '../telemetry/error-text.js';
import { StepError } from '../actions/action.js';
import type { Action, ActionContext, ActionResult } from '../actions/action.js';
import { ACTIONS } from '../actions/registry.js';

/** What a step is performed with. */
export interface StepRequest {
  readonly step: Step;
  /** The event, the facts that the step names, and `steps`. */
  readonly values: Values;
  readonly context: ActionContext;
  /** When an attempt began whose outcome is not known; undefined when there was none. */
  readonly unsettledSince: Date | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Performs a step: its condition, its arguments filled in, its action.
 *
 * @throws StepError for what trying again cannot mend; SimpleMdmError from the API.
 */
export async function performStep(request: StepRequest): Promise<ActionResult> {
  const { step, values, context, unsettledSince } = request;
  const prepared = preparedStep(step, values, request.env, context.now());
  if (prepared.kind === 'skipped') return { status: 'skipped', reason: prepared.reason };
  const action = actionOf(step);
  const { args } = prepared;
  if (unsettledSince !== undefined) {
    const earlier = await action.findEarlier?.(args, context, unsettledSince);
    if (earlier !== undefined) return earlier;
  }
  return action.perform(args, context);
}

/** A step before it is performed: passed over by its condition, or its arguments filled in. */
export type PreparedStep =
  | { readonly kind: 'skipped'; readonly reason: string }
  | { readonly kind: 'ready'; readonly args: Readonly<Record<string, unknown>> };

/**
 * Decides a step's condition and fills in its arguments.
 *
 * @throws StepError when the condition cannot be decided or a text not be filled in.
 */
export function preparedStep(step: Step, values: Values, env: NodeJS.ProcessEnv, now: Date): PreparedStep {
  if (step.condition !== undefined) {
    const decided = step.condition.evaluate(conditionValues(values), now);
    if (decided.result === 'error') throw new StepError('step/failed', `if: ${decided.reason}`);
    if (decided.result === 'false') return { kind: 'skipped', reason: decided.reason };
  }
  const args = Object.entries(step.source.args).map(([name, value]): [string, unknown] => [
    name,
    filledIn(value, step, values, env),
  ]);
  return { kind: 'ready', args: Object.fromEntries(args) };
}

function actionOf({ source }: Step): Action {
  const action = Object.hasOwn(ACTIONS, source.action) ? ACTIONS[source.action] : undefined;
  if (action === undefined)
    throw new StepError('step/failed', `there is no action "${source.action}" (any more)`);
  return action;
}

function filledIn(value: unknown, step: Step, values: Values, env: NodeJS.ProcessEnv): unknown {
  if (typeof value === 'string') return textFilledIn(value, step, values, env);
  if (Array.isArray(value)) return value.map((item) => filledIn(item, step, values, env));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, filledIn(member, step, values, env)]),
    );
  }
  return value;
}

function textFilledIn(text: string, step: Step, values: Values, env: NodeJS.ProcessEnv): string {
  try {
    const template = step.templates.get(text);
    return template === undefined ? resolveEnvReferences(text, env) : template.render(values, env);
  } catch (error) {
    throw new StepError('step/failed', `"${text}": ${errorText(error)}`, { cause: error });
  }
}
