import type { Redis } from 'ioredis';
import { JOURNAL_LUA } from '../../src/journal/index-lua.js';
import { journalPrefix, shortId } from '../../src/journal/trace-keys.js';
import { KEY_PREFIX } from '../../src/queues/connection.js';

/** Deletes events from the journal, so that the next test of the file does not find them. */
export async function forgetEvents(client: Redis, ids: readonly string[]): Promise<void> {
  const script = `${JOURNAL_LUA} for i = 2, #ARGV do journal_delete(ARGV[1], ARGV[i]) end`;
  await client.eval(script, 0, journalPrefix(KEY_PREFIX), ...ids.map(shortId));
}
