import { z } from 'zod';
import type { SimulatorClock } from '../clock.js';
import { shuffled, type Random } from '../fleet/random.js';
import { timestamp } from '../timestamps.js';
import { createDeliveryFaults, type DeliveryFaults } from './delivery-faults.js';

/** Where webhooks go. Credentials in the URL are sent as Basic authorization, as admins use them. */
export interface WebhookTarget {
  url: string;
  /** Sent as the header `X-Webhook-Token`. */
  token?: string;
}

export interface WebhookDelivery {
  type: string;
  /** What the receiver answered; `undefined` until then, and where there was no answer. */
  status: number | undefined;
  error?: string;
  attempts: number;
  at: string;
}

/** What to send again: the last so many, in their order or the other way round, now or later on the clock. */
export interface Resend {
  last: number;
  reversed: boolean;
  delayMs: number;
}

export interface Webhooks {
  /** Posts an event, once, after the ones before it. */
  post(type: string, data: Readonly<Record<string, unknown>>): void;
  resend(resend: Resend): void;
  faults: DeliveryFaults;
  deliveries(): WebhookDelivery[];
  /** Resolves when every webhook posted so far has been answered or has failed. */
  settled(): Promise<void>;
  setTarget(target: WebhookTarget | undefined): void;
  /** Breaks off what is under way; nothing is posted any more. */
  stop(): Promise<void>;
}

const patienceMs = 10_000;

/** Sends webhooks as the real thing does: small JSON, one after the other, each once (reference: Webhooks). */
export function createWebhooks(
  clock: SimulatorClock,
  first: WebhookTarget | undefined,
  random: Random = Math.random,
): Webhooks {
  const faults = createDeliveryFaults(random);
  let held: { type: string; body: string }[] = [];
  let target = first;
  let queue: Promise<void> = Promise.resolve();
  const stopping = new AbortController();
  const sent: { delivery: WebhookDelivery; body: string }[] = [];

  const send = (type: string, body: string) => {
    const delivery: WebhookDelivery = {
      type,
      status: undefined,
      attempts: 0,
      at: timestamp(clock.now()),
    };
    sent.push({ delivery, body });
    const destination = target;
    if (destination === undefined) {
      delivery.error = 'no webhook address is set';
      return;
    }
    queue = queue.then(() => deliver(destination, body, delivery, stopping.signal));
  };

  const lose = (type: string, body: string) =>
    sent.push({
      delivery: {
        type,
        status: undefined,
        error: 'lost on purpose',
        attempts: 0,
        at: timestamp(clock.now()),
      },
      body,
    });

  const release = () => {
    const order = shuffled(random, held);
    held = [];
    for (const { type, body } of order) send(type, body);
  };

  const post = (type: string, body: string) => {
    const fault = faults.take(type);
    switch (fault?.kind) {
      case undefined:
        send(type, body);
        return;
      case 'lost':
        lose(type, body);
        return;
      case 'late':
        clock.after(fault.delayMs ?? 60_000, () => send(type, body));
        return;
      case 'twice':
        send(type, body);
        if (fault.delayMs === undefined) send(type, body);
        else clock.after(fault.delayMs, () => send(type, body));
        return;
      case 'shuffled':
        held.push({ type, body });
        if (held.length >= (fault.hold ?? 5) || !faults.all().some(({ kind }) => kind === 'shuffled'))
          release();
        return;
    }
  };

  return {
    faults: {
      ...faults,
      clear: () => {
        faults.clear();
        release();
      },
    },
    post: (type, data) => post(type, JSON.stringify({ type, at: timestamp(clock.now()), data })),
    resend: ({ last, reversed, delayMs }) => {
      const again = sent.slice(-last).map(({ delivery, body }) => ({ type: delivery.type, body }));
      const ordered = reversed ? again.reverse() : again;
      const sendAll = () => {
        for (const { type, body } of ordered) send(type, body);
      };
      if (delayMs > 0) clock.after(delayMs, sendAll);
      else sendAll();
    },
    deliveries: () => sent.map(({ delivery }) => ({ ...delivery })),
    settled: () => queue,
    setTarget: (next) => {
      target = next;
    },
    stop: () => {
      stopping.abort();
      return queue;
    },
  };
}

async function deliver(
  target: WebhookTarget,
  body: string,
  delivery: WebhookDelivery,
  stopping: AbortSignal,
): Promise<void> {
  if (stopping.aborted) return;
  delivery.attempts += 1;
  try {
    const { url, headers } = addressed(target);
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers,
      redirect: 'manual',
      signal: AbortSignal.any([stopping, AbortSignal.timeout(patienceMs)]),
    });
    delivery.status = response.status;
    await response.arrayBuffer();
  } catch (error) {
    delivery.error = reason(error);
  }
}

function addressed({ url, token }: WebhookTarget): { url: URL; headers: Record<string, string> } {
  const address = new URL(url);
  const { username, password } = address;
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  // fetch refuses an address with credentials in it.
  address.username = '';
  address.password = '';
  return {
    url: address,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'SimpleMDM',
      ...(username + password !== '' && {
        authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
      }),
      ...(token !== undefined && { 'x-webhook-token': token }),
    },
  };
}

const failedConnection = z.object({ cause: z.object({ code: z.string().optional(), message: z.string() }) });

/** Why a webhook failed: `fetch` itself says only that it did, the cause says why. */
function reason(error: unknown): string {
  const cause = failedConnection.safeParse(error).data?.cause;
  return [cause?.message, cause?.code].find((text) => text !== undefined && text !== '') ?? String(error);
}
