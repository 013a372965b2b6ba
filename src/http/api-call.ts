import { z } from 'zod';

/** An API call as jobs and traces keep it. */
export const apiCall = z.object({
  account: z.string(),
  method: z.string(),
  /** The path with ids and query, as sent. */
  path: z.string(),
  /** The path with placeholders, as in the API reference. */
  route: z.string(),
  /** The body of a write. Never holds the API key, which is a header. */
  body: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  /** Undefined without a response. */
  status: z.number().optional(),
  error: z.string().optional(),
  durationMs: z.number(),
  /** The call shared the response of an identical call in flight. */
  shared: z.boolean().optional(),
});

/** An API call. */
export type ApiCall = z.output<typeof apiCall>;
