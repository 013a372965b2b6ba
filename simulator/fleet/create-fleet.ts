import type { SimulatorClock } from '../clock.js';
import type { Webhooks } from '../webhooks/webhooks.js';
import { createFirstFleet } from './first-fleet.js';
import type { Delays, Fleet } from './fleet.js';
import { firstGeneratedId, type FleetSeed } from './generated-devices.js';

export interface FleetOptions {
  delays?: Delays;
  /** Devices in addition to the first ones. */
  seed?: FleetSeed;
  /** Whether assigning what is assigned, or removing what is not there, is answered 409 in place of 204: both are seen. */
  conflicts?: boolean;
}

/** Makes the first fleet and sets it going. */
export function createFleet(
  clock: SimulatorClock,
  webhooks: Webhooks,
  { delays = {}, seed, conflicts = false }: FleetOptions = {},
): Fleet {
  const generated = seed?.devices ?? 0;
  const last = {
    app: 500,
    assignmentGroup: 500,
    deviceGroup: 500,
    managedAppConfig: 500,
    profile: 300_000,
    // New devices come after the generated ones, so that a list ascending by id stays of use to who follows it.
    device: generated === 0 ? 499 : firstGeneratedId + generated - 1,
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
    ...createFirstFleet(() => nextId('installedApp'), clock.now(), seed),
    conflicts,
    clock,
    webhooks,
    delays: {
      groupChangeMs: 300,
      scriptJobMs: 800,
      commandMs: 300,
      attributeDeletionMs: 3000,
      appProcessingMs: 500,
      ...delays,
    },
    lastAsked: new Map(),
    nextId,
  };
}
