import { CHANNEL_TYPES } from '../channels/registry.js';
import { DEVICE_FACTS, FACTS } from '../enrichment/registry.js';
import { shapeOf } from '../enrichment/schema-shape.js';
import { KNOWN_DATA, KNOWN_TYPES } from '../events/webhook-types.js';
import type { Vocabulary } from '../rules/model/vocabulary.js';
import { ACTIONS } from './registry.js';

/**
 * Everything that rules can refer to by name: facts, actions, event types, channels, accounts.
 *
 * @param accounts - The names of the configured accounts.
 */
export function serviceVocabulary(env: NodeJS.ProcessEnv, accounts: Iterable<string>): Vocabulary {
  return {
    facts: Object.fromEntries(Object.entries(FACTS).map(([name, fact]) => [name, fact.shape])),
    deviceFacts: DEVICE_FACTS,
    actions: ACTIONS,
    channelTypes: CHANNEL_TYPES,
    eventTypes: KNOWN_TYPES,
    eventData: EVENT_DATA,
    accounts: [...accounts],
    isEnvSet: (name) => Object.hasOwn(env, name),
  };
}

const EVENT_DATA = Object.fromEntries([...KNOWN_DATA].map(([type, schema]) => [type, shapeOf(schema)]));
