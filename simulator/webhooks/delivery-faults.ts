import { z } from 'zod';
import type { Random } from '../fleet/random.js';
import { oddForm } from './odd-webhook.js';

/** Which webhooks are affected, and how. */
export const deliveryFaultSchema = z.strictObject({
  /** Only webhooks of this type (default: any). */
  type: z.string().optional(),
  /**
   * - `delayed`: posted `delayMs` (60,000) later on the clock of the simulator; later webhooks may arrive first
   * - `duplicated`: posted, and posted again `delayMs` (0) later
   * - `reordered`: held back until there are `hold` (5) webhooks or the fault ends, then posted in random order
   * - `lost`: never posted
   * - `odd`: posted in the form `form` (default: any), as other software and old versions send webhooks
   */
  kind: z.enum(['delayed', 'duplicated', 'reordered', 'lost', 'odd']),
  form: oddForm.optional(),
  delayMs: z.number().nonnegative().optional(),
  hold: z.int().min(2).optional(),
  /** The number of webhooks that the fault affects (default: all, until it is cleared). */
  times: z.int().positive().optional(),
  /** From 0 to 1 (default: 1). */
  probability: z.number().min(0).max(1).optional(),
});

export type DeliveryFault = z.input<typeof deliveryFaultSchema>;

export interface DeliveryFaults {
  add(fault: DeliveryFault): void;
  clear(): void;
  all(): DeliveryFault[];
  /** The fault for a webhook of a type, if any. Uses up one of its `times`. */
  use(type: string): DeliveryFault | undefined;
}

/** Creates the list of active delivery faults. When several match a webhook, the oldest applies. */
export function createDeliveryFaults(random: Random): DeliveryFaults {
  const faults: { fault: DeliveryFault; left: number }[] = [];
  return {
    add: (fault) => {
      const valid = deliveryFaultSchema.parse(fault);
      faults.push({ fault: valid, left: valid.times ?? Infinity });
    },
    clear: () => void faults.splice(0),
    all: () => faults.map(({ fault, left }) => (Number.isFinite(left) ? { ...fault, times: left } : fault)),
    use: (type) => {
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
