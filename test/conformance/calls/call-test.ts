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

/** The test of one call: its effect, read by other calls, and its errors. */
export interface CallTest {
  /** The call as in the reference or in additions.ts: `POST /devices/{DEVICE_ID}/lock`. */
  readonly call: string;
  readonly client: ClientMethod;
  /** What the test shows. */
  readonly shows: string;
  readonly run: (world: World) => Promise<void>;
  readonly refuses?: readonly Refusal[];
  /** Paths that the simulator has and the example of the reference lacks, in addition to newer-fields.ts. */
  readonly beyond?: readonly string[];
  /** Paths that the example of the reference has and newer records lack. */
  readonly lacks?: readonly string[];
}

/** An error of the call. */
export interface Refusal {
  readonly when: string;
  readonly status: number;
  readonly run: (world: World) => Promise<unknown>;
}

/** One response as received. */
export interface RecordedResponse {
  readonly call: string;
  readonly status: number;
  readonly body: unknown;
}

/** One use of a method of the client. */
export interface MethodUse {
  readonly method: string;
  readonly args: readonly unknown[];
}

/** The client and the simulator of one test. */
export interface World {
  readonly api: SimpleMdm;
  readonly simulator: Simulator;
  /** Advances the clock, so that pending work at SimpleMDM and on devices completes. */
  readonly later: (ms?: number) => void;
  readonly responses: readonly RecordedResponse[];
  readonly used: readonly MethodUse[];
  readonly close: () => Promise<void>;
}

const apiKey = 'api-key-of-the-conformance-test';

/** Starts a simulator with a manual clock, and a client that records its method uses and responses. */
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
  const responses: RecordedResponse[] = [];
  const used: MethodUse[] = [];
  const recording: Transport = {
    call: async (request) => {
      const response = await transport.call(request);
      const { status, body } = response;
      responses.push({ call: `${request.method} ${request.route}`, status, body });
      return response;
    },
    download: async (request) => {
      const file = await transport.download(request);
      responses.push({ call: `${request.method} ${request.route}`, status: 200, body: undefined });
      return file;
    },
  };
  return {
    api: withRecording(createResources(recording), used),
    simulator,
    later: (ms = 10_000) => clock.advance(ms),
    responses,
    used,
    close: () => simulator.close(),
  };
}

/** The client with a record of its method uses. */
function withRecording(api: SimpleMdm, used: MethodUse[]): SimpleMdm {
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

/** Collects the items of an iterator. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** The first item of a non-empty list. */
export function first<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined) throw new Error('the list is empty');
  return item;
}

/** The types of log entries about a device. */
export async function logged({ api }: World, serialNumber: string): Promise<unknown[]> {
  return (await all(api.logs.list({ serialNumber }))).map(({ attributes }) => attributes.event_type);
}
