import { beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { deviceReferenceOf } from '../../../src/events/webhook-types.js';
import { findTrace } from '../../../src/journal/find-events.js';
import type { Trace } from '../../../src/journal/trace.js';
import { mutatedWebhook } from '../../support/mutated-webhooks.js';
import type { MutatedWebhook, WebhookBody } from '../../support/mutated-webhooks.js';
import { until } from '../../support/until.js';
import { useSharedWorld } from '../../support/use-world.js';
import { WEBHOOK_TOKEN } from '../../support/world.js';
import { openShards } from '../../../src/queues/shards.js';

const world = useSharedWorld({
  rules: `
rules:
  - id: every-event
    on: "*"
    do: [{ log: "seen" }]
  - id: device-is-gone
    on: "device.*"
    if: device == null
    do: [{ log: "gone" }]
  - id: device-is-gone-in-a-step
    on: "device.*"
    do:
      - if: device == null
        log: "gone"
  - id: mac-enrolled
    on: device.enrolled
    if: device.platform == "macOS"
    do: [{ log: "{{ device.name }}" }]
`,
  env: { LOG_LEVEL: 'info' },
});

/** A MacBook and an iPhone that are enrolled. */
const MAC = 54;
const PHONE = 121;
const COUNT = 200;

const accepted = z.object({ id: z.string() });
const problem = z.object({ code: z.string(), detail: z.string().min(10) });

interface Sent extends MutatedWebhook {
  readonly about: number;
  readonly status: number;
  readonly answer: string;
}

const sent: Sent[] = [];
const traces = new Map<string, Trace>();

function webhookAbout(id: number, type: string, seed: number): WebhookBody {
  const attributes = world.simulator.device(id)?.attributes;
  const device = { id, udid: attributes?.unique_identifier, serial_number: attributes?.serial_number };
  const hardware = { serial_number: attributes?.serial_number, model: 'MacBook Pro' };
  const at = new Date(Date.UTC(2026, 0, 1) + seed * 1000).toISOString();
  return { type, at, data: { device: type.startsWith('abm.') ? hardware : device } };
}

const TYPES = [
  'device.enrolled',
  'device.unenrolled',
  'device.changed_group',
  'abm.device.added',
  'test_event',
];

/** What the receiver promises, written once more without its code. */
function isWebhook(body: string): boolean {
  const json = body.startsWith('payload=') ? (new URLSearchParams(body).get('payload') ?? '') : body;
  try {
    const value: unknown = JSON.parse(json);
    const parsed = z.object({ type: z.string() }).safeParse(value);
    return parsed.success && parsed.data.type.trim() !== '';
  } catch {
    return false;
  }
}

beforeAll(async () => {
  for (let seed = 1; seed <= COUNT; seed += 1) {
    const about = seed % 3 === 0 ? PHONE : MAC;
    const mutated = mutatedWebhook(webhookAbout(about, TYPES[seed % TYPES.length] ?? '', seed), seed);
    const response = await fetch(`${world.service.url}/webhooks/simplemdm`, {
      method: 'POST',
      headers: { 'Content-Type': mutated.contentType, 'X-Webhook-Token': WEBHOOK_TOKEN },
      body: mutated.body,
    });
    sent.push({ ...mutated, about, status: response.status, answer: await response.text() });
  }
});

const kept = () => sent.filter(({ status }) => status === 202);
const idOf = ({ answer }: Sent): string => accepted.parse(JSON.parse(answer)).id;

describe(`${COUNT} webhooks that software on the way has changed`, () => {
  test('JSON with a type is always kept; the rest gets 400 and a problem that says why', () => {
    for (const { body, status, answer, what } of sent) {
      expect({ what, status }).toEqual({ what, status: isWebhook(body) ? 202 : 400 });
      if (status === 400) {
        const { code } = problem.parse(JSON.parse(answer));
        expect(['webhook/invalid-json', 'webhook/invalid-fields']).toContain(code);
      }
    }
    // The seeds make enough of both.
    expect(kept().length).toBeGreaterThan(100);
    expect(sent.length - kept().length).toBeGreaterThan(20);
  });

  test('each kept one comes to rest, and no rule is in error', async () => {
    for (const one of kept()) {
      const trace = await until(`${one.what} is processed`, async () => {
        const found = await findTrace(openShards(world.client), idOf(one));
        return found?.status === 'completed' || found?.status === 'failed' ? found : undefined;
      });
      traces.set(trace.id, trace);
      const { status, reason, decisions } = trace;
      const errors = decisions.filter(({ verdict }) => verdict === 'error' || verdict === 'waiting');
      expect({ what: one.what, status, reason, errors }).toEqual({
        what: one.what,
        status: 'completed',
        reason: undefined,
        errors: [],
      });
      expect(trace.runs.map(({ rule }) => rule)).toContain('every-event');
    }
  });

  test('a webhook without a warning says what the documented one says', () => {
    let odd = 0;
    for (const one of kept()) {
      const { warnings, original, type, at, data } = traces.get(idOf(one)) ?? {};
      if (warnings !== undefined) {
        odd += 1;
        expect(warnings.every((warning) => warning.length > 10 && warning.length <= 300)).toBe(true);
        continue;
      }
      expect(original).toBeUndefined();
      expect(JSON.parse(one.body)).toMatchObject({ type, at });
      if (type?.startsWith('device.') === true)
        expect({ what: one.what, id: deviceReferenceOf({ data: data ?? {} })?.id }).toEqual({
          what: one.what,
          id: one.about,
        });
    }
    expect(odd).toBeGreaterThan(80);
  });

  test('no rule takes a device that the webhook does not name for one that is gone', () => {
    const undecided: string[] = [];
    for (const one of kept()) {
      const trace = traces.get(idOf(one));
      expect({ what: one.what, rules: trace?.rules }).not.toEqual({
        what: one.what,
        rules: expect.arrayContaining(['device-is-gone']),
      });
      const step = trace?.runs.find(({ rule }) => rule === 'device-is-gone-in-a-step')?.steps[0];
      if (step !== undefined)
        expect({ what: one.what, step: step.status }).toEqual({ what: one.what, step: 'skipped' });
      const reason = trace?.decisions.find(({ rule }) => rule === 'device-is-gone')?.reason ?? '';
      if (reason.startsWith('the webhook named no device')) undecided.push(reason);
    }
    expect(undecided).toContain('the webhook named no device: device == null is undecided');
  });

  test('a rule about Macs runs for the Mac and for nothing else', () => {
    let runs = 0;
    for (const one of kept()) {
      const trace = traces.get(idOf(one));
      const ran = trace?.rules.includes('mac-enrolled') === true;
      if (ran) runs += 1;
      if (ran) expect({ what: one.what, about: one.about }).toEqual({ what: one.what, about: MAC });
    }
    expect(runs).toBeGreaterThan(10);
  });

  test('the oddities are counted by kind, the refused ones by status', async () => {
    for (const kind of ['device_id', 'at', 'type', 'data', 'device', 'content_type', 'unknown_field'])
      expect(await world.metric(`mdm_reflex_webhook_oddities_total{kind="${kind}"}`)).toBeGreaterThan(0);
    expect(await world.metric('mdm_reflex_webhooks_total{type="none",status="400"}')).toBe(
      sent.length - kept().length,
    );
  });
});
