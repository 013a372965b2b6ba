import { createServer } from 'node:net';
import type { Socket } from 'node:net';

/** A server that speaks just enough of the protocol of Redis to answer what a real one answers only in a rare state. */
export interface FakeRedis {
  readonly port: number;
  /** Sends a message to every connection that has subscribed. */
  readonly push: (message: string) => void;
  readonly stop: () => Promise<void>;
}

/** The answer to a command, in the protocol of Redis. */
export type FakeAnswer = (command: readonly string[]) => string | Promise<string>;

/** Texts as a list in the protocol of Redis. */
export function listReply(...texts: readonly string[]): string {
  return `*${texts.length}\r\n${texts.map(textReply).join('')}`;
}

/** A text in the protocol of Redis. */
export function textReply(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

/** Starts a fake Redis on loopback. */
export async function startFakeRedis(answer: FakeAnswer): Promise<FakeRedis> {
  const sockets = new Set<Socket>();
  const subscribers = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      subscribers.delete(socket);
    });
    let received = '';
    let answered = Promise.resolve();
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      received += chunk;
      for (let read = readCommand(received); read !== undefined; read = readCommand(received)) {
        const { command, rest } = read;
        received = rest;
        answered = answered.then(async () => {
          const reply = await answer(command);
          if (/^subscribe$/i.test(command[0] ?? '')) subscribers.add(socket);
          if (socket.writable) socket.write(reply);
        });
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    push: (message) => subscribers.forEach((socket) => socket.write(message)),
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      sockets.forEach((socket) => socket.destroy());
      await closed;
    },
  };
}

/** The first command in what was received, when it is complete: a list of texts. */
function readCommand(received: string): { command: string[]; rest: string } | undefined {
  const count = /^\*(\d+)\r\n/.exec(received);
  if (count === null) return undefined;
  let rest = received.slice(count[0].length);
  const command: string[] = [];
  while (command.length < Number(count[1])) {
    const size = /^\$(\d+)\r\n/.exec(rest);
    if (size === null) return undefined;
    const [start, length] = [size[0].length, Number(size[1])];
    if (rest.length < start + length + 2) return undefined;
    command.push(rest.slice(start, start + length));
    rest = rest.slice(start + length + 2);
  }
  return { command, rest };
}
