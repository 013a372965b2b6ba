import type { Redis } from 'ioredis';

/** Redis starts with the first commands of a long turn while the process works on the rest. */
const MAX_BATCH = 6;

/**
 * Lets the commands of one turn of the event loop leave in one write to the socket. Many jobs run at the same time, and a write is a system
 * call that costs more than most commands. Commands keep their order, and none waits for the response to another one.
 *
 * @param redis - A connection, or a node of a cluster. Its duplicates are not changed: BullMQ's blocking connections send one command at a time.
 * @see https://nodejs.org/docs/latest-v20.x/api/stream.html#writablecork
 */
export function batchWrites(redis: Redis): void {
  const send = redis.sendCommand.bind(redis);
  let corked: Redis['stream'] | undefined;
  let count = 0;
  const flush = (): void => {
    corked?.uncork();
    corked = undefined;
    count = 0;
  };
  redis.sendCommand = (command, stream) => {
    // A pipeline passes a stream of its own, and writes all its commands at once anyway.
    const socket = stream === undefined && redis.status === 'ready' ? redis.stream : undefined;
    if (socket !== undefined && corked !== socket) {
      flush();
      corked = socket;
      socket.cork();
      setImmediate(() => {
        if (corked === socket) flush();
      });
    }
    const result = send(command, stream);
    count += 1;
    if (count >= MAX_BATCH) flush();
    return result;
  };
}
