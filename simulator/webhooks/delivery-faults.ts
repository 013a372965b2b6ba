import { z } from 'zod';
import type { Random } from '../fleet/random.js';

/** Which webhooks go astray, and how. */
export const deliveryFaultSchema = z.strictObject({
  /** Only webhooks of this type; any when left out. */
  type: z.string().optional(),
  /**
   * - `late`: posted `delayMs` (60,000) later on the simulator's clock; others overtake it
   * - `twice`: posted, and posted again `delayMs` (0) later
   * - `shuffled`: held until `hold` (5) are held or the fault is over, then posted in any order
   * - `lost`: never posted
   */
  kind: z.enum(['late', 'twice', 'shuffled', 'lost']),
  delayMs: z.number().nonnegative().optional(),
  hold: z.int().min(2).optional(),
  /** How many webhooks it takes; until it is cleared when left out. */
  times: z.int().positive().optional(),
  /** From 0 to 1; every one when left out. */
  probability: z.number().min(0).max(1).optional(),
});

export type DeliveryFault = z.input<typeof deliveryFaultSchema>;

export interface DeliveryFaults {
  add(fault: DeliveryFault): void;
  clear(): void;
  all(): DeliveryFault[];
  /** The fault for a webhook of a type, if any; it counts as used. */
  take(type: string): DeliveryFault | undefined;
}

/** The faults that are on. Of several that fit a webhook, the one added first takes it. */
export function createDeliveryFaults(random: Random): DeliveryFaults {
  const faults: { fault: DeliveryFault; left: number }[] = [];
  return {
    add: (fault) => {
      const valid = deliveryFaultSchema.parse(fault);
      faults.push({ fault: valid, left: valid.times ?? Infinity });
    },
    clear: () => void faults.splice(0),
    all: () => faults.map(({ fault, left }) => (Number.isFinite(left) ? { ...fault, times: left } : fault)),
    take: (type) => {
      const index = faults.findIndex(
        ({ fault }) => (fault.type ?? type) === type && random() < (fault.probability ?? 1),
      );
      const found = faults[index];
      if (found === undefined) return undefined;
      found.left -= 1;
      if (found.left <= 0) faults.splice(index, 1);
      return found.fault;
    },
  };
}
