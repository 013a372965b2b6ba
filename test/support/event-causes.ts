import {
  EVENT_CAUSES_LUA,
  causeFrom,
  causePart,
  openEventCauses,
} from '../../src/coordination/event-causes.js';
import type { Event, EventCause } from '../../src/events/envelope.js';
import type { RetentionDays } from '../../src/queues/retention.js';
import { defineScript, runScript } from '../../src/queues/script.js';
import type { Shard } from '../../src/queues/shards.js';

const EXPECT = defineScript(`${EVENT_CAUSES_LUA} expect_event(ARGV)`);
const CAUSE_OF = defineScript(`${EVENT_CAUSES_LUA} return cause_of(ARGV)`);

/** Expects the webhook of an action about a device, as the run worker does. */
export async function expectEvent(
  shard: Shard,
  type: string,
  deviceId: number,
  cause: EventCause,
): Promise<void> {
  const part = openEventCauses(shard).expectPart('default', type, deviceId, cause);
  await runScript(shard.redis, EXPECT, [String(part[0])], part);
}

/** The cause of an event, as the event worker asks for it. */
export async function causeOf(
  shard: Shard,
  event: Event,
  retention: RetentionDays,
): Promise<EventCause | undefined> {
  const part = causePart(shard.prefix, event, retention);
  const cause = await runScript(shard.redis, CAUSE_OF, [String(part[0])], part);
  return causeFrom(typeof cause === 'string' ? cause : '');
}
