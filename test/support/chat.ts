import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';

/** A request that a chat service got. */
export interface ChatRequest {
  readonly path: string;
  /** When it arrived, in epoch milliseconds. */
  readonly at: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: unknown;
}

/** What a request is answered. */
export interface ChatAnswer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** A service that messages are posted to, over real HTTP. */
export interface Chat {
  readonly url: string;
  readonly requests: () => readonly ChatRequest[];
  /** What the next requests are answered, one after the other; 200 when there is nothing more. */
  readonly answerNext: (...answers: readonly ChatAnswer[]) => void;
  readonly close: () => Promise<void>;
}

/**
 * Starts a chat service on a loopback port of its own.
 *
 * @param answer - What a request is answered when there is no next answer: by default 200.
 */
export async function startChat(answer: (request: ChatRequest) => ChatAnswer = () => ({})): Promise<Chat> {
  const requests: ChatRequest[] = [];
  const answers: ChatAnswer[] = [];
  const server = createServer((request, response) => {
    const at = Date.now();
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const got = { path: request.url ?? '', at, headers: request.headers, text, body: json(text) };
      requests.push(got);
      const { status = 200, headers = {}, body = 'ok' } = answers.shift() ?? answer(got);
      response.writeHead(status, headers).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    answerNext: (...more) => void answers.push(...more),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
