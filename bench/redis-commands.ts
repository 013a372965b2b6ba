import type { Redis } from 'ioredis';

/** The commands that Redis executed. */
export interface CommandCounts {
  /** Sent by clients, by name: each is a round trip unless the client pipelines it. */
  readonly sent: ReadonlyMap<string, number>;
  /** Called by scripts. */
  readonly inScripts: number;
}

/**
 * Counts the commands that Redis executes during a task, without those of `client` itself.
 *
 * @param client - A connection whose commands belong to the bench.
 */
export async function countCommands(client: Redis, task: () => Promise<void>): Promise<CommandCounts> {
  const own = /\baddr=(\S+)/.exec(await client.client('INFO'))?.[1];
  const sent = new Map<string, number>();
  let inScripts = 0;
  const monitor = await client.monitor();
  monitor.on('monitor', (_time: string, [name = '']: string[], source: string) => {
    if (source === 'lua') inScripts += 1;
    else if (source !== own) sent.set(name, (sent.get(name) ?? 0) + 1);
  });
  try {
    await task();
  } finally {
    monitor.disconnect();
  }
  return { sent, inScripts };
}

/** The counts per item, such as `12.0 sent (evalsha 7.0, hset 5.0), 61 in scripts`. */
export function formatCounts({ sent, inScripts }: CommandCounts, items: number): string {
  const byFrequency = [...sent].sort(([, a], [, b]) => b - a);
  const total = byFrequency.reduce((sum, [, count]) => sum + count, 0);
  const names = byFrequency
    .filter(([, count]) => count >= items / 20)
    .map(([name, count]) => `${name} ${(count / items).toFixed(1)}`);
  return `${(total / items).toFixed(1)} sent (${names.join(', ')}), ${(inScripts / items).toFixed(0)} in scripts`;
}
