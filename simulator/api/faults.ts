import { z } from 'zod';
import type { Random } from '../fleet/random.js';

/** Which calls go wrong, and how. */
export const faultSchema = z.strictObject({
  /** Only calls with this method; any when left out. */
  method: z.string().toUpperCase().optional(),
  /** Only calls to this path below `/api/v1`; `*` stands for any characters, slashes too. Any path when left out. */
  path: z.string().optional(),
  /**
   * - `status`: answered with `status` (500) and an error body
   * - `hang`: never answered; the connection stays open until the client or the simulator closes it
   * - `reset`: the connection is reset
   * - `slow`: the first byte of the proper answer comes `delayMs` (1000) later on the simulator's clock
   * - `truncated`: the headers promise the whole body, half of it comes, then the connection breaks
   * - `not_json`: an HTML page, as a proxy in the way would send
   * - `wrong_json`: JSON of another shape, with the status and headers of the proper answer
   */
  kind: z.enum(['status', 'hang', 'reset', 'slow', 'truncated', 'not_json', 'wrong_json']),
  status: z.int().min(200).max(599).optional(),
  /** Sent as `Retry-After`, in seconds. */
  retryAfter: z.number().nonnegative().optional(),
  /** Sent as `X-RateLimit-Reset`, in epoch seconds. */
  rateLimitReset: z.number().nonnegative().optional(),
  delayMs: z.number().nonnegative().optional(),
  /** How many calls it spoils; until it is cleared when left out. */
  times: z.int().positive().optional(),
  /** From 0 to 1; every call when left out. */
  probability: z.number().min(0).max(1).optional(),
  /**
   * `before`: the call does nothing. `after`: it takes effect, and then its answer is spoiled.
   * `truncated` and `wrong_json` are `after` unless they say otherwise, everything else is `before`.
   */
  effect: z.enum(['before', 'after']).optional(),
});

export type Fault = z.input<typeof faultSchema>;

export interface FaultList {
  add(fault: Fault): void;
  clear(): void;
  all(): Fault[];
  /** The fault for this call, if any; it counts as used. */
  take(method: string, path: string): Fault | undefined;
}

/** The faults that are on. Of several that fit a call, the one added first spoils it. */
export function createFaultList(random: Random = Math.random): FaultList {
  const faults: { fault: Fault; left: number; fits: RegExp }[] = [];
  return {
    add: (fault) => {
      const valid = faultSchema.parse(fault);
      faults.push({ fault: valid, left: valid.times ?? Infinity, fits: globPattern(valid.path ?? '*') });
    },
    clear: () => void faults.splice(0),
    all: () => faults.map(({ fault, left }) => (Number.isFinite(left) ? { ...fault, times: left } : fault)),
    take: (method, path) => {
      const index = faults.findIndex(
        ({ fault, fits }) =>
          (fault.method === undefined || fault.method === method) &&
          fits.test(path) &&
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

/** Whether the call takes effect before its answer is spoiled. */
export function takesEffect(fault: Fault): boolean {
  const usual = fault.kind === 'truncated' || fault.kind === 'wrong_json' ? 'after' : 'before';
  return (fault.effect ?? usual) === 'after';
}

function globPattern(glob: string): RegExp {
  const escaped = glob.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`);
}
