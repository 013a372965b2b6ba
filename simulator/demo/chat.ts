import { createServer } from 'node:http';
import { z } from 'zod';

/** A chat that accepts Slack's incoming webhooks, so that the demo can show the alerts. */
export interface DemoChat {
  /** The URL to post to. */
  readonly url: string;
  /** The posted messages, oldest first. */
  readonly messages: () => readonly ChatMessage[];
  readonly close: () => Promise<void>;
}

/** A message as a person sees it: heading and text. */
export interface ChatMessage {
  readonly title: string;
  readonly text: string;
}

const block = z.looseObject({ type: z.string(), text: z.looseObject({ text: z.string() }).optional() });
const payload = z.looseObject({ blocks: z.array(block) });

/** Starts the chat on a free port of the loopback interface. */
export async function startDemoChat(): Promise<DemoChat> {
  const messages: ChatMessage[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const parsed = payload.safeParse(jsonOf(Buffer.concat(chunks).toString()));
      if (parsed.success) messages.push(readable(parsed.data));
      response.writeHead(parsed.success ? 200 : 400).end(parsed.success ? 'ok' : 'invalid_payload');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/services/demo`,
    messages: () => [...messages],
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function readable({ blocks }: z.output<typeof payload>): ChatMessage {
  const textOf = (type: string): string =>
    blocks.flatMap((item) => (item.type === type ? (item.text?.text ?? []) : [])).join('\n');
  return { title: textOf('header'), text: textOf('section') };
}

function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
