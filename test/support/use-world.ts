import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { startWorld } from './world.js';
import type { World, WorldOptions } from './world.js';

/** Stands for the world that the running test started. */
export interface WorldOfTest extends World {
  /** Starts a world for this test. The hook after the test stops it. */
  readonly start: (options: WorldOptions) => Promise<World>;
}

/** Lets each test of a file start a world of its own, and stops that world after the test. */
export function useWorld(): WorldOfTest {
  const running: World[] = [];
  afterEach(async () => {
    for (const world of running.splice(0)) await world.stop();
  });
  const start = async (options: WorldOptions): Promise<World> => {
    const world = await startWorld(options);
    running.push(world);
    return world;
  };
  return Object.assign(
    standFor(() => running.at(-1)),
    { start },
  );
}

/** Starts one world for all tests of a file. Each test must leave it as the next one expects it. */
export function useSharedWorld(options: WorldOptions): World {
  let running: World | undefined;
  beforeAll(async () => {
    running = await startWorld(options);
  });
  afterAll(() => running?.stop());
  return standFor(() => running);
}

function standFor(running: () => World | undefined): World {
  const world = (): World => {
    const current = running();
    if (current === undefined)
      throw new Error('no world runs: start it in the test, or use it only in tests');
    return current;
  };
  return {
    get service() {
      return world().service;
    },
    get simulator() {
      return world().simulator;
    },
    get redis() {
      return world().redis;
    },
    get client() {
      return world().client;
    },
    get env() {
      return world().env;
    },
    log: () => world().log(),
    calls: () => world().calls(),
    post: (webhook) => world().post(webhook),
    metric: (name) => world().metric(name),
    settled: (type, statuses) => world().settled(type, statuses),
    restartService: (env) => world().restartService(env),
    beforeStop: (close) => world().beforeStop(close),
    stop: () => world().stop(),
  };
}
