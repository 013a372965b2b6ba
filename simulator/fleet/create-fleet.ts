import type { SimulatorClock } from '../clock.js';
import type { Webhooks } from '../webhooks/webhooks.js';
import { createFirstFleet } from './first-fleet.js';
import type { Fleet } from './fleet.js';

export interface Delays {
  /** From a 202 until the device is in its group. */
  groupChangeMs?: number;
  /** From the creation of a script job until its devices have answered. */
  scriptJobMs?: number;
}

/** Makes the first fleet and sets it going. */
export function createFleet(clock: SimulatorClock, webhooks: Webhooks, delays: Delays = {}): Fleet {
  const last = {
    device: 499,
    depDevice: 500,
    enrollment: 500,
    // Beyond 32 bits, as seen in large accounts.
    installedApp: 12_303_072_498,
    deviceUser: 500,
    script: 34,
    scriptJob: 340,
  };
  const nextId: Fleet['nextId'] = (kind) => ++last[kind];
  return {
    ...createFirstFleet(() => nextId('installedApp')),
    clock,
    webhooks,
    delays: { groupChangeMs: delays.groupChangeMs ?? 300, scriptJobMs: delays.scriptJobMs ?? 800 },
    nextId,
  };
}
