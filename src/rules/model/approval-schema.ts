import { z } from 'zod';
import { durationText } from './duration.js';

const DAY_MS = 86_400_000;
const MAX_DAYS = 30;

/** How long people can decide, unless the rule says otherwise. */
const DEFAULT_TIMEOUT_MS = DAY_MS;

/** The key `approve` of a rule or a step as written in a file. */
export const approval = z.strictObject(
  {
    channel: z.string('expected the name of a channel').min(1, 'expected the name of a channel'),
    timeout: durationText.refine((ms) => ms <= MAX_DAYS * DAY_MS, `expected at most ${MAX_DAYS}d`).optional(),
    on_timeout: z.enum(['drop', 'proceed'], 'expected "drop" or "proceed"').optional(),
  },
  'expected an approval, such as { channel: it-chat, timeout: 4h }',
);

/** A parsed approval. */
export const approvalSource = z.object({
  channel: z.string(),
  timeoutMs: z.number(),
  /** What happens to the run when nobody decides in time. */
  onTimeout: z.enum(['drop', 'proceed']),
});

/** A parsed approval. */
export type ApprovalSource = z.output<typeof approvalSource>;

/** Parses an approval of a file. */
export function parseApproval({
  channel,
  timeout = DEFAULT_TIMEOUT_MS,
  on_timeout: onTimeout = 'drop',
}: z.output<typeof approval>): ApprovalSource {
  return { channel, timeoutMs: timeout, onTimeout };
}
