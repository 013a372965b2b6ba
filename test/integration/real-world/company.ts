import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from '@jest/globals';
import type { Queue } from 'bullmq';
import { createManualClock, createRealClock } from '../../../simulator/clock.js';
import type { EnrolledDevice, EnrollRequest } from '../../../simulator/scenarios/enroll.js';
import { findEvents, findTrace } from '../../../src/journal/find-events.js';
import type { RunTrace, Trace } from '../../../src/journal/trace.js';
import { openRunQueue, openScheduleQueue } from '../../../src/queues/queues.js';
import type { RunJob, ScheduleJob } from '../../../src/queues/jobs.js';
import { lastSweeps } from '../../../src/schedules/last-sweeps.js';
import { addTick } from '../../../src/schedules/schedule-queue.js';
import { createSimpleMdm } from '../../../src/simplemdm/index.js';
import type { SimpleMdm } from '../../../src/simplemdm/index.js';
import { startChat } from '../../support/chat.js';
import type { Chat, ChatRequest } from '../../support/chat.js';
import { startMailbox } from '../../support/mailbox.js';
import type { Mail } from '../../support/mailbox.js';
import { until } from '../../support/until.js';
import { API_KEY, startWorld } from '../../support/world.js';
import type { World } from '../../support/world.js';
import { openShards, singleShard } from '../../../src/queues/shards.js';

/** The folder of the automations. */
export const FOLDER = join(fileURLToPath(import.meta.url), '..', 'automations');

/** What the inventory system answers to a login. */
export const TOKEN = 'token-of-the-inventory-system-4711';
const PUBLIC_URL = 'https://reflex.example.org';
const RETENTION = { repeatWindowDays: 7, deadLetterDays: 30, attempts: 3 };
const AGENT = 'com.example.security-agent';
const HOUR_MS = 3_600_000;

/** A company that runs the automations: the service, its SimpleMDM account, and one server for its chat, pager, tickets and assets. */
export interface Company {
  readonly world: World;
  readonly api: SimpleMdm;
  readonly runs: Queue<RunJob>;
  /** The id of the assignment group with the security agent. */
  readonly agentGroup: number;
  /** Waits until the security agent is installed on a device. */
  readonly agentIsOn: (device: EnrolledDevice) => Promise<void>;
  readonly enroll: (request: EnrollRequest) => EnrolledDevice;
  /** Enrolls a device without a webhook, and lets a time pass in which nobody hears of it. */
  readonly enrollAgo: (hours: number, request: EnrollRequest) => EnrolledDevice;
  /** From now on devices are slow: what they report, and what they do, waits for `release`. */
  readonly hold: () => void;
  readonly release: () => void;
  /** Posts the webhook of an enrollment. */
  readonly postEnrolled: (device: EnrolledDevice) => Promise<void>;
  /** Runs the schedule of a rule now, and waits until all devices have been looked at. */
  readonly sweep: (rule: string) => Promise<void>;
  /** Lets a device contact SimpleMDM, and waits until its record says so. */
  readonly checkIn: (device: EnrolledDevice) => Promise<void>;
  /** The requests that a path got. */
  readonly posted: (path: string) => ChatRequest[];
  /** Waits until a message in the chat has a text. */
  readonly chatHas: (text: string) => Promise<ChatRequest>;
  /** Waits for a mail with a text in its subject. */
  readonly mailAbout: (text: string) => Promise<Mail>;
  readonly mails: () => readonly Mail[];
  /** Opens the link in the message that asks about a device, and presses Approve. */
  readonly approve: (name: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Starts a company whose account has what the automations name. */
export async function startCompany(): Promise<Company> {
  let agoMs = 0;
  let isHeld = false;
  const [wall, slow] = [createRealClock(), createManualClock()];
  let tickets = 4710;
  const chat: Chat = await startChat(({ path }) => {
    if (path === '/assets/login') return { body: JSON.stringify({ access_token: TOKEN }) };
    if (path !== '/tickets') return {};
    tickets += 1;
    return { status: 201, body: JSON.stringify({ number: tickets }) };
  });
  const mailbox = await startMailbox();
  const world = await startWorld({
    rules: 'rules: []',
    simulator: {
      clock: {
        now: () => new Date(Date.now() - agoMs),
        after: (ms, task) => (isHeld ? slow : wall).after(ms, task),
      },
      delays: { groupChangeMs: 5, scriptJobMs: 5, commandMs: 5 },
    },
    env: {
      RULES_PATH: FOLDER,
      PUBLIC_URL,
      SLACK_URL: `${chat.url}/slack`,
      PAGERDUTY_URL: `${chat.url}/pagerduty`,
      PAGERDUTY_KEY: 'routing-key-of-the-pager',
      SNIPE_URL: `${chat.url}/assets`,
      SNIPE_PASSWORD: 'password-of-the-inventory-system',
      TICKETS_URL: chat.url,
      SMTP_URL: mailbox.url,
      INVENTORY_LOOKS_MS: '50',
    },
  }).catch(async (error: unknown) => {
    await Promise.all([mailbox.close(), chat.close()]);
    throw error;
  });
  const api = createSimpleMdm({ apiKey: API_KEY, baseUrl: world.simulator.url });
  const agentGroup = await addObjects(api);
  const schedules: Queue<ScheduleJob> = openScheduleQueue(singleShard(world.client), RETENTION);
  const runs = openRunQueue(singleShard(world.client), RETENTION);
  world.beforeStop(() => Promise.all([schedules.close(), runs.close()]));
  const sweptAt = async (rule: string): Promise<string | undefined> =>
    (await lastSweeps(singleShard(world.client), rule))['default']?.finishedAt;
  const posted = (path: string): ChatRequest[] => chat.requests().filter((request) => request.path === path);
  const chatHas = (text: string): Promise<ChatRequest> =>
    until(`the chat has "${text}"`, () => posted('/slack').find((request) => request.text.includes(text)));
  return {
    world,
    api,
    runs,
    agentGroup,
    agentIsOn: async ({ id }) => {
      await until('the agent is installed', async () => {
        for await (const { attributes } of api.devices.listInstalledApps(id))
          if (attributes.identifier === AGENT) return true;
        return false;
      });
    },
    enroll: (request) => world.simulator.enroll(request),
    enrollAgo: (hours, request) => {
      agoMs = hours * HOUR_MS;
      const device = world.simulator.enroll({ ...request, webhook: false });
      agoMs = 0;
      return device;
    },
    hold: () => {
      isHeld = true;
    },
    release: () => {
      isHeld = false;
      slow.advance(HOUR_MS);
    },
    postEnrolled: ({ id, udid, serialNumber: serial_number }) =>
      world.post({ type: 'device.enrolled', data: { device: { id, udid, serial_number } } }),
    sweep: async (rule) => {
      const before = await sweptAt(rule);
      await addTick(schedules, rule);
      await until(`the sweep of ${rule} has ended`, async () => (await sweptAt(rule)) !== before);
    },
    checkIn: async ({ id }) => {
      await api.devices.refresh(id);
      await until('the device has checked in', () => {
        const seen = world.simulator.device(id)?.attributes.last_seen_at ?? '';
        return Date.now() - Date.parse(seen) < HOUR_MS;
      });
    },
    posted,
    chatHas,
    mails: mailbox.mails,
    mailAbout: (text) =>
      until(`a mail about "${text}"`, () => mailbox.mails().find(({ subject }) => subject.includes(text))),
    approve: async (name) => {
      const { text } = await until('the message that asks', () =>
        posted('/slack').find((request) => request.text.includes(name) && request.text.includes('/approve/')),
      );
      const path = /\/approve\/[\w-]+/.exec(text)?.[0] ?? '';
      const body = new URLSearchParams({ answer: 'approved', name: 'Ada' });
      expect((await fetch(`${world.service.url}${path}`, { method: 'POST', body })).status).toBe(200);
    },
    stop: async () => {
      await world.stop();
      await Promise.all([mailbox.close(), chat.close()]);
    },
  };
}

/** Creates the objects that the automations name and a new account does not have. Gives the id of the group with the agent. */
async function addObjects(api: SimpleMdm): Promise<number> {
  for (const name of ['asset_tag', 'key_viewed']) await api.customAttributes.create({ name });
  await api.assignmentGroups.create({ name: 'Company apps' });
  const agent = await api.apps.create({ bundleId: AGENT });
  const { id } = await api.assignmentGroups.create({ name: 'Security agent' });
  await api.assignmentGroups.assignApp(id, agent.id);
  await api.scripts.create({ name: 'Set up the Mac', file: new Blob(['#!/bin/sh\necho "all set"\n']) });
  return id;
}

/** Waits for the trace of the newest event about a device in which a rule is decided and, if it matches, its run has ended. */
export function ended(
  { world }: Company,
  rule: string,
  { id }: { readonly id: number },
  type = `schedule.${rule}`,
): Promise<{ trace: Trace; run: RunTrace | undefined; verdict: string; reason: string }> {
  return until(`${rule} has ended for the device ${id}`, async () => {
    const { events } = await findEvents(openShards(world.client), { type, device: String(id), limit: 1 });
    const trace = events[0] && (await findTrace(openShards(world.client), events[0].id));
    const decision = trace?.decisions.find((one) => one.rule === rule);
    if (trace === undefined || decision === undefined || decision.verdict === 'waiting') return undefined;
    const run = trace.runs.find((one) => one.rule === rule);
    const { verdict, reason } = decision;
    const hasRun = ['matched', 'cleared'].includes(verdict);
    if (hasRun && !['completed', 'failed'].includes(run?.status ?? 'queued')) return undefined;
    return { trace, run, verdict, reason };
  });
}

/** Expects that a rule matches and that each step of its run completes, and gives the run and its steps. */
export async function completed(...of: Parameters<typeof ended>): Promise<RunTrace> {
  const { run, verdict, reason } = await ended(...of);
  const failed = run?.steps.filter(({ status }) => status !== 'completed');
  expect({ verdict, reason, failed }).toEqual({ verdict: 'matched', reason, failed: [] });
  if (run === undefined) throw new Error('there is no run');
  return run;
}
