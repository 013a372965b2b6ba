import { checkArgumentReferences } from './check-references.js';
import type { ApprovalSource } from './model/approval-schema.js';
import type { Path } from './model/problem.js';
import type { StepSource } from './model/rule-schema.js';
import type { Scope } from './scope.js';

/**
 * Checks an approval: its channel exists, and nobody's silence counts as a yes to an action that cannot be undone.
 *
 * @param steps - The steps that the approval is for.
 * @param place - The path of the rule or step that has the approval.
 */
export function checkApproval(
  approve: ApprovalSource | undefined,
  steps: readonly StepSource[],
  scope: Scope,
  place: Path,
): void {
  if (approve === undefined) return;
  const path = [...place, 'approve'];
  checkArgumentReferences({ refersTo: { channel: 'channel' } }, approve, path, scope);
  const { actions } = scope.vocabulary;
  const destructive = steps.find(
    ({ action }) => Object.hasOwn(actions, action) && actions[action]?.class === 'destructive',
  );
  if (approve.onTimeout !== 'proceed' || destructive === undefined) return;
  const message = `${destructive.action} cannot be undone, so it needs somebody's approval: "on_timeout: proceed" is not allowed`;
  scope.report({ code: 'rule/not-allowed', path: [...path, 'on_timeout'], message });
}
