import type { Approvals } from '../coordination/approvals.js';
import type { PendingMessage } from './pending-message.js';

/** What {@link withApprovalLinks} needs. */
export interface ApprovalLinkContext {
  readonly approvals: Pick<Approvals, 'createToken'>;
  /** `PUBLIC_URL`: without it, messages have no links. */
  readonly consoleUrl: string | undefined;
}

/** The groups of a message with the links of their approvals. */
export interface LinkedGroups {
  readonly groups: PendingMessage['groups'];
  /** Masks the tokens in a text: the response of a service may repeat what it was sent. */
  readonly hideTokens: (text: string) => string;
}

/** The path of the page on which the holder of a link decides. */
export const APPROVAL_PATH = '/approve';

/**
 * Gives each alert that asks for an approval a link with a token of its own. Only the message has the token: it is created right before
 * each delivery attempt, and Redis gets its hash.
 */
export async function withApprovalLinks(
  groups: PendingMessage['groups'],
  { approvals, consoleUrl }: ApprovalLinkContext,
): Promise<LinkedGroups> {
  const tokens: string[] = [];
  const linked: PendingMessage['groups'] = [];
  for (const group of groups) {
    const alerts: typeof group.alerts = [];
    for (const alert of group.alerts) {
      const { approval } = alert;
      const token =
        approval === undefined || consoleUrl === undefined
          ? undefined
          : await approvals.createToken(approval);
      if (token === undefined) {
        alerts.push(alert);
        continue;
      }
      tokens.push(token);
      const link = { url: `${consoleUrl ?? ''}${APPROVAL_PATH}/${token}`, label: 'Approve or reject' };
      alerts.push({ ...alert, link });
    }
    linked.push({ ...group, alerts });
  }
  return {
    groups: linked,
    hideTokens: (text) => tokens.reduce((shown, token) => shown.replaceAll(token, '[token]'), text),
  };
}
