import { createServer, type IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';

const envelope = z.object({ type: z.string(), at: z.string(), data: z.record(z.string(), z.unknown()) });

export interface ReceivedWebhook extends z.infer<typeof envelope> {
  headers: IncomingHttpHeaders;
  /** The body as it was sent. The other fields are empty when it does not have the documented form. */
  body: unknown;
}

export interface WebhookReceiver {
  url: string;
  received: ReceivedWebhook[];
  /** Sets the status of later responses (default: 202). */
  respondWith(status: number): void;
  close(): Promise<void>;
}

/** Starts a webhook receiver that records the webhooks. */
export async function startReceiver(): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  let status = 202;
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const body: unknown = JSON.parse(text);
      const documented = envelope.safeParse(body).data ?? { type: '', at: '', data: {} };
      received.push({ ...documented, headers: request.headers, body });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/webhooks/simplemdm`,
    received,
    respondWith: (next) => {
      status = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
