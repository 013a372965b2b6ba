import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { startDemoChat } from './chat.js';
import type { ChatMessage } from './chat.js';
import { freePort, runProgram, startProcess, waitFor } from './processes.js';
import type { DemoProcess } from './processes.js';

const summary = z.object({ id: z.string(), type: z.string(), status: z.string(), receivedAt: z.string() });
const page = z.object({ events: z.array(summary) });
const call = z.object({ method: z.string(), path: z.string(), status: z.number(), body: z.unknown() });

/** An event in the list of the service. */
export type EventSummary = z.output<typeof summary>;
/** A call in the log of the simulator. */
export type LoggedCall = z.output<typeof call>;

/** The simulator, the service and a chat. Simulator and service are separate processes. */
export interface Environment {
  readonly serviceUrl: string;
  readonly simulatorUrl: string;
  readonly adminToken: string;
  /** Sends a request to the control API of the simulator. */
  readonly control: (method: string, path: string, body?: unknown) => Promise<unknown>;
  /** The events of the service, oldest first. */
  readonly events: () => Promise<EventSummary[]>;
  /** The output of `mdm-reflex events show`. */
  readonly show: (id: string) => Promise<string>;
  /** The API calls that the simulator received. */
  readonly calls: () => Promise<LoggedCall[]>;
  /** The messages in the chat. */
  readonly messages: () => readonly ChatMessage[];
  readonly close: () => Promise<void>;
}

/** Starts all of them, with a private Redis in a temporary folder. */
export async function startEnvironment(): Promise<Environment> {
  const dataDir = await mkdtemp(join(tmpdir(), 'mdm-reflex-demo-'));
  const apiKey = randomBytes(24).toString('hex');
  const chat = await startDemoChat();
  const token = randomBytes(24).toString('hex');
  const adminToken = randomBytes(24).toString('hex');
  const simulatorUrl = `http://127.0.0.1:${await freePort(8090)}`;
  const serviceUrl = `http://127.0.0.1:${await freePort(8080)}`;
  const env = {
    PORT: new URL(serviceUrl).port,
    HOST: '127.0.0.1',
    REDIS_URL: '',
    DATA_DIR: dataDir,
    SIMPLEMDM_API_KEY: apiKey,
    SIMPLEMDM_BASE_URL: `${simulatorUrl}/api/v1`,
    ACCOUNTS_FILE: '',
    WEBHOOK_TOKEN: token,
    ADMIN_TOKEN: adminToken,
    DEMO_CHAT_URL: chat.url,
    RULES_PATH: fileURLToPath(new URL('../../../rules/demo', import.meta.url)),
    // The simulated devices report their inventory within seconds.
    INVENTORY_LOOKS_MS: '1000,1000,2000',
    LOG_LEVEL: 'info',
    NODE_ENV: 'production',
  };
  const processes: DemoProcess[] = [];
  const close = async (): Promise<void> => {
    for (const running of processes.reverse()) await running.stop();
    await chat.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const simulator = startProcess(
      'simulator/main.js',
      [
        '--port',
        new URL(simulatorUrl).port,
        '--api-key',
        apiKey,
        '--webhook',
        `${serviceUrl}/webhooks/simplemdm`,
        '--token',
        token,
      ],
      {},
    );
    processes.push(simulator);
    await waitForResponse('the simulator', `${simulatorUrl}/__simulator`, simulator);
    const service = startProcess('src/cli/main.js', ['serve'], env);
    processes.push(service);
    await waitForResponse('mdm-reflex', `${serviceUrl}/readyz`, service);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    serviceUrl,
    simulatorUrl,
    adminToken,
    control: (method, path, body) =>
      json(`${simulatorUrl}/__simulator${path}`, { method, ...(body !== undefined && jsonBody(body)) }),
    events: async () => {
      const listed = page.parse(
        await json(`${serviceUrl}/api/events?limit=100`, {
          headers: { authorization: `Bearer ${adminToken}` },
        }),
      );
      return listed.events.reverse();
    },
    show: (id) =>
      runProgram('src/cli/main.js', ['events', 'show', id], {
        ...env,
        FORCE_COLOR: process.stdout.isTTY ? '1' : '0',
      }),
    messages: chat.messages,
    calls: async () =>
      z.object({ data: z.array(call) }).parse(await json(`${simulatorUrl}/__simulator/calls`)).data,
    close,
  };
}

async function waitForResponse(name: string, url: string, program: DemoProcess): Promise<void> {
  await waitFor(`${name} responds`, async () => {
    if (program.hasEnded()) throw new Error(`${name} did not start:\n${program.output()}`);
    return fetch(url).then(
      (response) => response.ok,
      () => false,
    );
  });
}

function jsonBody(body: unknown): { body: string; headers: Record<string, string> } {
  return { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
}

async function json(url: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(url, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${url} returned ${response.status}: ${text}`);
  const body: unknown = text === '' ? undefined : JSON.parse(text);
  return body;
}
