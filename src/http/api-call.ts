import { z } from 'zod';

/** One API call as jobs and traces keep it. */
export const apiCall = z.object({
  account: z.string(),
  method: z.string(),
  /** The path with its ids and query, as sent. */
  path: z.string(),
  /** The path as the reference writes it, with placeholders. */
  route: z.string(),
  /** What a write sent; never secrets of ours, the key travels in a header. */
  body: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  /** Undefined when there was no answer. */
  status: z.number().optional(),
  error: z.string().optional(),
  durationMs: z.number(),
  /** The same call was already in flight for something else and its answer was shared. */
  shared: z.boolean().optional(),
});

/** One API call. */
export type ApiCall = z.output<typeof apiCall>;
