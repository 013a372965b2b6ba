import type { SimulatorClock } from '../clock.js';
import type { Webhooks } from '../webhooks/webhooks.js';
import { createInitialFleet } from './initial-fleet.js';
import type { Delays, Fleet } from './fleet.js';
import { firstGeneratedId, type FleetSeed } from './generated-devices.js';

export interface FleetOptions {
  delays?: Delays;
  /** Generated devices, in addition to the initial ones. */
  seed?: FleetSeed;
  /** Whether an assignment or a removal that changes nothing is a 409 instead of a 204. Real accounts do either. */
  conflicts?: boolean;
}

/** Creates the initial fleet with its clock and webhooks. */
export function createFleet(
  clock: SimulatorClock,
  webhooks: Webhooks,
  { delays = {}, seed, conflicts = false }: FleetOptions = {},
): Fleet {
  const generated = seed?.devices ?? 0;
  const lastIds = {
    app: 500,
    assignmentGroup: 500,
    deviceGroup: 500,
    managedAppConfig: 500,
    profile: 300_000,
    // New devices get higher ids than generated ones, so that a client can follow a list by ascending id.
    device: generated === 0 ? 499 : firstGeneratedId + generated - 1,
    depDevice: 500,
    enrollment: 500,
    // More than 32 bits, as in large accounts.
    installedApp: 12_303_072_498,
    deviceUser: 500,
    script: 34,
    scriptJob: 340,
  };
  const nextId: Fleet['nextId'] = (kind) => ++lastIds[kind];
  return {
    ...createInitialFleet(() => nextId('installedApp'), clock.now(), seed),
    conflicts,
    clock,
    webhooks,
    delays: {
      inventoryMs: 0,
      groupChangeMs: 300,
      scriptJobMs: 800,
      commandMs: 300,
      attributeDeletionMs: 3000,
      appProcessingMs: 500,
      ...delays,
    },
    lastRequestedAt: new Map(),
    nextId,
  };
}
