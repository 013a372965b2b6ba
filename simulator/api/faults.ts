import { z } from 'zod';
import type { Random } from '../fleet/random.js';

/** Which calls fail, and how. */
export const faultSchema = z.strictObject({
  /** Only calls with this method (default: any). */
  method: z.string().toUpperCase().optional(),
  /** Only calls to this path below `/api/v1` (default: any). `*` matches any characters, slashes included. */
  path: z.string().optional(),
  /**
   * - `status`: a response with `status` (500) and an error body
   * - `hang`: no response; the connection stays open until the client or the simulator closes it
   * - `reset`: a reset of the connection
   * - `slow`: the regular response, `delayMs` (1000) later on the clock of the simulator
   * - `truncated`: the headers of the whole body, half of the body, then the end of the connection
   * - `not_json`: an HTML page, as a proxy sends it
   * - `wrong_json`: JSON of another shape, with the status and headers of the regular response
   */
  kind: z.enum(['status', 'hang', 'reset', 'slow', 'truncated', 'not_json', 'wrong_json']),
  status: z.int().min(200).max(599).optional(),
  /** Sent as `Retry-After`, in seconds. */
  retryAfter: z.number().nonnegative().optional(),
  /** Sent as `X-RateLimit-Reset`, in epoch seconds. */
  rateLimitReset: z.number().nonnegative().optional(),
  delayMs: z.number().nonnegative().optional(),
  /** The number of calls that the fault affects (default: all, until it is cleared). */
  times: z.int().positive().optional(),
  /** From 0 to 1 (default: 1). */
  probability: z.number().min(0).max(1).optional(),
  /**
   * `before`: the call takes no effect. `after`: the call takes effect before the fault.
   * Default: `after` for `truncated` and `wrong_json`, `before` for the other kinds.
   */
  effect: z.enum(['before', 'after']).optional(),
});

export type Fault = z.input<typeof faultSchema>;

export interface FaultList {
  add(fault: Fault): void;
  clear(): void;
  all(): Fault[];
  /** The fault for this call, if any. Uses up one of its `times`. */
  use(method: string, path: string): Fault | undefined;
}

/** Creates the list of active faults. When several match a call, the oldest applies. */
export function createFaultList(random: Random = Math.random): FaultList {
  const faults: { fault: Fault; left: number; pathPattern: RegExp }[] = [];
  return {
    add: (fault) => {
      const valid = faultSchema.parse(fault);
      faults.push({
        fault: valid,
        left: valid.times ?? Infinity,
        pathPattern: globPattern(valid.path ?? '*'),
      });
    },
    clear: () => void faults.splice(0),
    all: () => faults.map(({ fault, left }) => (Number.isFinite(left) ? { ...fault, times: left } : fault)),
    use: (method, path) => {
      const index = faults.findIndex(
        ({ fault, pathPattern }) =>
          (fault.method === undefined || fault.method === method) &&
          pathPattern.test(path) &&
          random() < (fault.probability ?? 1),
      );
      const found = faults[index];
      if (found === undefined) return undefined;
      found.left -= 1;
      if (found.left <= 0) faults.splice(index, 1);
      return found.fault;
    },
  };
}

/** Whether the call takes effect before the fault. */
export function takesEffect(fault: Fault): boolean {
  const byKind = fault.kind === 'truncated' || fault.kind === 'wrong_json' ? 'after' : 'before';
  return (fault.effect ?? byKind) === 'after';
}

function globPattern(glob: string): RegExp {
  const escaped = glob.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`);
}
