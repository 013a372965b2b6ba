import { z } from 'zod';
import { eventStatus } from '../journal/trace.js';
import { durationText } from '../rules/model/duration.js';

const pointInTime = z.union(
  [
    durationText.transform((ms) => new Date(Date.now() - ms)),
    z.iso.datetime({ offset: true }).transform((time) => new Date(time)),
  ],
  'expected an age such as 2d or 1h, or an ISO 8601 time such as 2026-01-31T08:00:00Z',
);

/** The options that choose events, of `events` and `events replay`. */
export const eventFilter = z.object({
  type: z.string().optional(),
  device: z.string().optional(),
  rule: z.string().optional(),
  account: z.string().optional(),
  status: eventStatus.optional(),
  reason: z.string().optional(),
  since: pointInTime.optional(),
  until: pointInTime.optional(),
});
