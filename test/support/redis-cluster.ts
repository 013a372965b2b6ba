import { freePort } from './redis.js';
import { TEST_CERT, startAll, startServer, stopAll } from './redis-server.js';
import type { Server } from './redis-server.js';
import { until } from './until.js';

/** A real Redis Cluster on loopback. */
export interface TestCluster {
  readonly url: string;
  /** The first ones are the masters at the start, in the order of their slots; then their replicas in the same order. */
  readonly nodes: readonly Server[];
  /** Waits until every node sees all slots served. */
  readonly settled: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** How a cluster is set up. */
export interface TestClusterOptions {
  readonly tls?: boolean;
  readonly password?: string;
  /** Replicas of each master. */
  readonly replicas?: number;
  readonly settings?: Readonly<Record<string, string>>;
}

const MASTERS = 3;
const SLOTS = 16_384;

/** Starts three masters and their replicas and joins them to a cluster. */
export async function startTestCluster({
  tls = false,
  password,
  replicas = 0,
  settings = {},
}: TestClusterOptions = {}): Promise<TestCluster> {
  const nodes = await startAll(
    Array.from({ length: MASTERS * (replicas + 1) }, () => async () => {
      // The default, port + 10000, may be no port.
      const busPort = await freePort();
      const server = await startServer({
        tls,
        ...(password !== undefined && { password }),
        settings: {
          'cluster-enabled': 'yes',
          'cluster-port': String(busPort),
          'cluster-node-timeout': '1500',
          ...(tls && { 'tls-cluster': 'yes' }),
          ...settings,
        },
      });
      return Object.assign(server, { busPort });
    }),
  );
  const stop = (): Promise<void> => stopAll(nodes);
  try {
    await join(nodes);
    const settled = async (): Promise<void> => {
      await until('the cluster serves all slots', async () => {
        const infos = await Promise.all(nodes.map(({ client }) => client.cluster('INFO')));
        return infos.every(
          (info) => info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes.length}`),
        );
      });
    };
    await settled();
    await replicate(nodes);
    const scheme = tls ? 'rediss+cluster' : 'redis+cluster';
    const login = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
    const addresses = nodes.slice(0, MASTERS).map(({ port }) => `127.0.0.1:${port}`);
    return {
      url: `${scheme}://${login}${addresses.join(',')}${tls ? `?ca=${TEST_CERT}` : ''}`,
      nodes,
      settled,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function join(nodes: readonly (Server & { readonly busPort: number })[]): Promise<void> {
  const [first] = nodes;
  if (first === undefined) return;
  for (const [index, { client }] of nodes.entries()) {
    await client.cluster('SET-CONFIG-EPOCH', index + 1);
    if (index >= MASTERS) continue;
    const from = Math.floor((SLOTS * index) / MASTERS);
    const to = Math.floor((SLOTS * (index + 1)) / MASTERS) - 1;
    await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
  }
  for (const { port, busPort } of nodes.slice(1))
    await first.client.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort);
}

async function replicate(nodes: readonly Server[]): Promise<void> {
  for (const [index, replica] of nodes.entries()) {
    const master = nodes[index % MASTERS];
    if (index < MASTERS || master === undefined) continue;
    const id = String(await master.client.call('CLUSTER', 'MYID'));
    await replica.client.call('CLUSTER', 'REPLICATE', id);
  }
  await until('the replicas are in sync', async () => {
    const infos = await Promise.all(nodes.slice(MASTERS).map(({ client }) => client.info('replication')));
    return infos.every((info) => info.includes('master_link_status:up'));
  });
}
