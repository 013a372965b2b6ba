import { createManualClock, startSimulator } from '../../../simulator/start.js';
import type { ManualClock, Simulator, SimulatorOptions } from '../../../simulator/start.js';
import { createResources } from '../../../src/simplemdm/client.js';
import type { SimpleMdm } from '../../../src/simplemdm/client.js';
import { withDefaults } from '../../../src/simplemdm/options.js';
import { createTransport } from '../../../src/simplemdm/transport.js';
import type { Transport } from '../../../src/simplemdm/transport.js';

/** `devices.lock`: a method of the client by its resource. */
export type ClientMethod = {
  [Resource in keyof SimpleMdm]: `${Resource}.${keyof SimpleMdm[Resource] & string}`;
}[keyof SimpleMdm];

/** The test of one call: what it does, seen in what can be read afterwards, and what it refuses. */
export interface CallTest {
  /** As the reference or the table of additions writes it: `POST /devices/{DEVICE_ID}/lock`. */
  readonly call: string;
  readonly client: ClientMethod;
  /** What the test shows. */
  readonly shows: string;
  readonly run: (world: World) => Promise<void>;
  readonly refuses?: readonly Refusal[];
  /** What the simulator answers beyond the example of the reference, since newer editions do. */
  readonly beyond?: readonly string[];
  /** What the example of the reference has and newer records do not. */
  readonly lacks?: readonly string[];
}

/** An error that the call answers. */
export interface Refusal {
  readonly when: string;
  readonly status: number;
  readonly run: (world: World) => Promise<unknown>;
}

/** One answer as it came over the wire. */
export interface Answered {
  readonly call: string;
  readonly status: number;
  readonly body: unknown;
}

/** One use of a method of the client. */
export interface Used {
  readonly method: string;
  readonly args: readonly unknown[];
}

/** A client and a simulator of their own for one test. */
export interface World {
  readonly api: SimpleMdm;
  readonly simulator: Simulator;
  /** Lets what is under way at SimpleMDM and on the devices happen. */
  readonly later: (ms?: number) => void;
  readonly answered: readonly Answered[];
  readonly used: readonly Used[];
  readonly close: () => Promise<void>;
}

const apiKey = 'api-key-of-the-conformance-test';

/** Starts a simulator whose time stands still, and a client that notes what it does and what it is answered. */
export async function startConformanceWorld(options: Partial<SimulatorOptions> = {}): Promise<World> {
  const clock: ManualClock = createManualClock();
  const simulator = await startSimulator({ apiKey, clock, ...options });
  const transport = createTransport(
    withDefaults({
      apiKey,
      baseUrl: simulator.url,
      maxPauseWaitMs: 0,
      revealSecrets: true,
      rate: { perSecond: 1000, burst: 1000 },
    }),
  );
  const answered: Answered[] = [];
  const used: Used[] = [];
  const noting: Transport = {
    call: async (request) => {
      const answer = await transport.call(request);
      answered.push({ call: `${request.method} ${request.route}`, status: answer.status, body: answer.body });
      return answer;
    },
    download: async (request) => {
      const file = await transport.download(request);
      answered.push({ call: `${request.method} ${request.route}`, status: 200, body: undefined });
      return file;
    },
  };
  return {
    api: noted(createResources(noting), used),
    simulator,
    later: (ms = 10_000) => clock.advance(ms),
    answered,
    used,
    close: () => simulator.close(),
  };
}

/** The client, every use of its methods noted. */
function noted(api: SimpleMdm, used: Used[]): SimpleMdm {
  return new Proxy(api, {
    get: (resources, resource) => {
      const members: unknown = Reflect.get(resources, resource);
      if (typeof members !== 'object' || members === null) return members;
      return new Proxy(members, {
        get: (methods, name) => {
          const method: unknown = Reflect.get(methods, name);
          if (typeof method !== 'function') return method;
          return (...args: unknown[]): unknown => {
            used.push({ method: `${String(resource)}.${String(name)}`, args });
            return Reflect.apply(method, methods, args);
          };
        },
      });
    },
  });
}

/** All that an iterator gives. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** The first of a list, which must not be empty. */
export function first<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined) throw new Error('the list is empty');
  return item;
}

/** The types of log entries about a device. */
export async function logged({ api }: World, serialNumber: string): Promise<unknown[]> {
  return (await all(api.logs.list({ serialNumber }))).map(({ attributes }) => attributes.event_type);
}
