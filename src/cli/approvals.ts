import { displayTime } from '../alerts/display-text.js';
import { userInfo } from 'node:os';
import type { Shards } from '../queues/shards.js';
import { OperatorError } from '../config/operator-error.js';
import type { Settings } from '../config/settings.js';
import { openApprovals } from '../coordination/approvals.js';
import type { ApprovalDecision, ApprovalRequest } from '../coordination/approvals.js';
import { openRunQueue } from '../queues/queues.js';
import { retentionOf } from '../queues/retention.js';
import { decideApproval } from '../runs/decide-approval.js';
import { columns, escapeControlCharacters } from './terminal.js';

/** `mdm-reflex approvals list`: the steps that wait for somebody to approve or reject them. */
export async function listApprovals(shards: Shards, json: boolean): Promise<string> {
  const requests = await openApprovals(shards.home).list();
  if (json) return JSON.stringify(requests, undefined, 2);
  if (requests.length === 0) return 'nothing waits for an approval';
  return columns([
    ['ID', 'ACCOUNT', 'RULE', 'DEVICE', 'STEPS', 'OPEN UNTIL (UTC)'],
    ...requests.map(({ id, account, rule, device, steps, expiresAt }) => [
      id,
      account,
      rule,
      escapeControlCharacters(deviceText(device)),
      steps.map(({ action }) => action).join(', '),
      displayTime(expiresAt),
    ]),
  ]).join('\n');
}

function deviceText(device: ApprovalRequest['device']): string {
  return device?.name ?? device?.serialNumber ?? (device?.id === undefined ? '-' : String(device.id));
}

/**
 * `mdm-reflex approvals approve ID` and `reject ID`: decides, and wakes the run.
 *
 * @param by - Who decides; the user of the system by default.
 * @throws OperatorError when nothing waits with this id, or somebody has decided already.
 */
export async function answerApproval(
  shards: Shards,
  settings: Settings,
  id: string,
  answer: 'approved' | 'rejected',
  by: string | undefined,
): Promise<string> {
  const approvals = openApprovals(shards.home);
  const found = await approvals.find(id);
  if (found === undefined) throw noApproval(`nothing waits for an approval with the id "${id}"`);
  const shard = shards.of(found.request.account);
  const runs = openRunQueue(shard, retentionOf(settings));
  try {
    const decision = { answer, via: 'command line' as const, by: by ?? userName() };
    const result = await decideApproval(found.request, decision, { approvals, shard, runs });
    if (result?.isNew !== true)
      throw noApproval(`the approval ${id} is closed: ${closedText(result?.decision)}`);
    const { rule, device } = found.request;
    return escapeControlCharacters(`${answer}: the run of ${rule} for ${deviceText(device)} continues now`);
  } finally {
    await runs.close();
  }
}

function closedText(decision: ApprovalDecision | undefined): string {
  if (decision === undefined) return 'it is gone';
  const { answer, at, by } = decision;
  return escapeControlCharacters(`${answer}${by === undefined ? '' : ` by ${by}`} at ${at}`);
}

/** A container may have no entry for its user. */
function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

function noApproval(what: string): OperatorError {
  const message = `${what}; "mdm-reflex approvals list" lists what waits`;
  return new OperatorError([{ code: 'cli/no-approval', message }]);
}
