import { z } from 'zod';
import type { SimulatorClock } from '../clock.js';
import { shuffled, type Random } from '../fleet/random.js';
import { timestamp } from '../timestamps.js';
import { createDeliveryFaults, type DeliveryFaults } from './delivery-faults.js';
import { oddWebhook, type PostedWebhook } from './odd-webhook.js';

/** The receiver of webhooks. Credentials in the URL are sent as Basic authorization. */
export interface WebhookTarget {
  url: string;
  /** The value of the header `X-Webhook-Token`. */
  token?: string;
  /** The header of the token (default: `X-Webhook-Token`). */
  tokenHeader?: string;
}

export interface WebhookDelivery {
  type: string;
  /** The status of the response; `undefined` until the response arrives, and without a response. */
  status: number | undefined;
  error?: string;
  attempts: number;
  at: string;
}

/** Which webhooks to send again: the last ones, in their order or reversed, now or later on the clock. */
export interface Resend {
  last: number;
  reversed: boolean;
  delayMs: number;
}

export interface Webhooks {
  /** Posts an event once, after earlier webhooks. */
  post(type: string, data: Readonly<Record<string, unknown>>): void;
  resend(resend: Resend): void;
  faults: DeliveryFaults;
  deliveries(): WebhookDelivery[];
  /** Resolves when every webhook posted so far has its response or has failed. */
  settled(): Promise<void>;
  setTarget(target: WebhookTarget | undefined): void;
  /** Aborts requests in progress and posts no more webhooks. */
  stop(): Promise<void>;
}

const timeoutMs = 10_000;

/** Sends webhooks as SimpleMDM does: small JSON, one after the other, each once (reference: Webhooks). */
export function createWebhooks(
  clock: SimulatorClock,
  initialTarget: WebhookTarget | undefined,
  random: Random = Math.random,
): Webhooks {
  const faults = createDeliveryFaults(random);
  let held: PostedWebhook[] = [];
  let target = initialTarget;
  let queue: Promise<void> = Promise.resolve();
  const stopping = new AbortController();
  const sent: { delivery: WebhookDelivery; posted: PostedWebhook }[] = [];

  const send = (posted: PostedWebhook) => {
    const { type } = posted;
    const delivery: WebhookDelivery = {
      type,
      status: undefined,
      attempts: 0,
      at: timestamp(clock.now()),
    };
    sent.push({ delivery, posted });
    const destination = target;
    if (destination === undefined) {
      delivery.error = 'no webhook URL is set';
      return;
    }
    queue = queue.then(() => deliver(destination, posted, delivery, stopping.signal));
  };

  const lose = (posted: PostedWebhook) =>
    sent.push({
      delivery: {
        type: posted.type,
        status: undefined,
        error: 'lost by a delivery fault',
        attempts: 0,
        at: timestamp(clock.now()),
      },
      posted,
    });

  const postHeld = () => {
    const order = shuffled(random, held);
    held = [];
    for (const posted of order) send(posted);
  };

  // Receivers take equal bodies for one event, so the second of two equal changes in a millisecond gets the next one.
  const recent = new Set<string>();
  let latest = 0;
  const bodyOf = (type: string, data: unknown): string => {
    let at = clock.now().getTime();
    if (at > latest) recent.clear();
    const bodyAt = (ms: number): string => JSON.stringify({ type, at: timestamp(new Date(ms)), data });
    while (recent.has(bodyAt(at))) at += 1;
    latest = Math.max(latest, at);
    recent.add(bodyAt(at));
    return bodyAt(at);
  };

  const post = (posted: PostedWebhook) => {
    const fault = faults.use(posted.type);
    switch (fault?.kind) {
      case undefined:
        send(posted);
        return;
      case 'lost':
        lose(posted);
        return;
      case 'delayed':
        clock.after(fault.delayMs ?? 60_000, () => send(posted));
        return;
      case 'duplicated':
        send(posted);
        if (fault.delayMs === undefined) send(posted);
        else clock.after(fault.delayMs, () => send(posted));
        return;
      case 'reordered':
        held.push(posted);
        if (held.length >= (fault.hold ?? 5) || !faults.all().some(({ kind }) => kind === 'reordered'))
          postHeld();
        return;
      case 'odd':
        send(oddWebhook(posted, fault.form, random));
        return;
    }
  };

  return {
    faults: {
      ...faults,
      clear: () => {
        faults.clear();
        postHeld();
      },
    },
    post: (type, data) => post({ type, body: bodyOf(type, data) }),
    resend: ({ last, reversed, delayMs }) => {
      const resent = sent.slice(-last).map(({ posted }) => posted);
      const ordered = reversed ? resent.reverse() : resent;
      const sendAll = () => {
        for (const posted of ordered) send(posted);
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
  { body, contentType = 'application/json' }: PostedWebhook,
  delivery: WebhookDelivery,
  stopping: AbortSignal,
): Promise<void> {
  if (stopping.aborted) return;
  delivery.attempts += 1;
  try {
    const { url, headers } = requestTo(target, contentType);
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers,
      redirect: 'manual',
      signal: AbortSignal.any([stopping, AbortSignal.timeout(timeoutMs)]),
    });
    delivery.status = response.status;
    await response.arrayBuffer();
  } catch (error) {
    delivery.error = reason(error);
  }
}

function requestTo(
  { url, token, tokenHeader = 'x-webhook-token' }: WebhookTarget,
  contentType: string,
): { url: URL; headers: Record<string, string> } {
  const address = new URL(url);
  const { username, password } = address;
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  // fetch rejects a URL with credentials.
  address.username = '';
  address.password = '';
  return {
    url: address,
    headers: {
      'content-type': contentType,
      'user-agent': 'SimpleMDM',
      ...(username + password !== '' && {
        authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
      }),
      ...(token !== undefined && { [tokenHeader.toLowerCase()]: token }),
    },
  };
}

const connectionError = z.object({ cause: z.object({ code: z.string().optional(), message: z.string() }) });

/** Why a webhook failed. The message of `fetch` does not say why, its cause does. */
function reason(error: unknown): string {
  const cause = connectionError.safeParse(error).data?.cause;
  return [cause?.message, cause?.code].find((text) => text !== undefined && text !== '') ?? String(error);
}
