import { TEST_CERT, startServer, stopAll } from './redis-server.js';
import type { Server } from './redis-server.js';
import { until } from './until.js';

/** A real master with replicas, watched by Sentinels, on loopback. */
export interface TestSentinels {
  readonly url: string;
  /** The first one is the master at the start. */
  readonly servers: readonly Server[];
  readonly sentinels: readonly Server[];
  /** The server that the Sentinels name as the master now. */
  readonly master: () => Promise<Server>;
  /** Waits until the Sentinels know a replica that is in sync, as a fail-over needs. */
  readonly settled: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** How the set is set up. */
export interface TestSentinelOptions {
  readonly tls?: boolean;
  readonly password?: string;
  readonly sentinelPassword?: string;
  readonly settings?: Readonly<Record<string, string>>;
}

export const MASTER_NAME = 'fleet';

/** Starts a master with two replicas, and three Sentinels that notice a lost master within a second. */
export async function startTestSentinels({
  tls = false,
  password,
  sentinelPassword,
  settings = {},
}: TestSentinelOptions = {}): Promise<TestSentinels> {
  const login = password === undefined ? {} : { password };
  const started: Server[] = [];
  const start = async (options: Parameters<typeof startServer>[0]): Promise<Server> => {
    const server = await startServer(options);
    started.push(server);
    return server;
  };
  const stop = (): Promise<void> => stopAll(started);
  try {
    const master = await start({ tls, ...login, settings });
    const replicas = await Promise.all(
      [1, 2].map(() =>
        start({ tls, ...login, settings: { replicaof: `127.0.0.1 ${master.port}`, ...settings } }),
      ),
    );
    const servers = [master, ...replicas];
    const sentinels = await Promise.all(
      [1, 2, 3].map(() =>
        start({
          tls,
          sentinel: true,
          ...(sentinelPassword !== undefined && { password: sentinelPassword }),
          settings: {
            sentinel: [
              `monitor ${MASTER_NAME} 127.0.0.1 ${master.port} 2`,
              `down-after-milliseconds ${MASTER_NAME} 1000`,
              `failover-timeout ${MASTER_NAME} 5000`,
              ...(password === undefined ? [] : [`auth-pass ${MASTER_NAME} ${password}`]),
              ...(sentinelPassword === undefined ? [] : [`sentinel-pass ${sentinelPassword}`]),
            ].join('\n'),
          },
        }),
      ),
    );
    const [first] = sentinels;
    if (first === undefined) throw new Error('three Sentinels were started');
    const settled = async (): Promise<void> => {
      await until('the Sentinels know each other and the replicas', async () => {
        const states = await Promise.all(
          sentinels.map(async ({ client }) => fieldsOf(await client.call('SENTINEL', 'MASTER', MASTER_NAME))),
        );
        return states.every(
          (state) =>
            state['flags'] === 'master' &&
            Number(state['num-slaves']) >= 1 &&
            Number(state['num-other-sentinels']) === sentinels.length - 1,
        );
      });
      await until('a replica is in sync', async () => {
        const replicaStates = await first.client.call('SENTINEL', 'REPLICAS', MASTER_NAME);
        return (
          Array.isArray(replicaStates) &&
          replicaStates.some((state) => {
            const { flags, 'master-link-status': link } = fieldsOf(state);
            return flags === 'slave' && link === 'ok';
          })
        );
      });
    };
    await settled();
    const scheme = tls ? 'rediss+sentinel' : 'redis+sentinel';
    const options = [
      ...(tls ? [`ca=${TEST_CERT}`] : []),
      ...(sentinelPassword === undefined ? [] : [`sentinelPassword=${encodeURIComponent(sentinelPassword)}`]),
    ].join('&');
    return {
      url: `${scheme}://${password === undefined ? '' : `:${encodeURIComponent(password)}@`}${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${MASTER_NAME}${options === '' ? '' : `?${options}`}`,
      servers,
      sentinels,
      settled,
      master: async () => {
        const address = await first.client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME);
        const port = Array.isArray(address) ? Number(address[1]) : 0;
        const found = servers.find((server) => server.port === port);
        if (found === undefined) throw new Error(`the Sentinels name an unknown master on port ${port}`);
        return found;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The reply of a Sentinel, names and values in turn, as an object. */
function fieldsOf(reply: unknown): Record<string, string> {
  const list: readonly unknown[] = Array.isArray(reply) ? reply : [];
  const fields: Record<string, string> = {};
  for (let index = 0; index + 1 < list.length; index += 2)
    fields[String(list[index])] = String(list[index + 1]);
  return fields;
}
