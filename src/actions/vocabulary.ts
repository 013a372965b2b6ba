import { FACTS } from '../enrichment/facts.js';
import { KNOWN_TYPES } from '../events/webhook-types.js';
import type { Vocabulary } from '../rules/vocabulary.js';
import { ACTIONS } from './registry.js';

/** Everything that rules of this service can name. */
export function serviceVocabulary(env: NodeJS.ProcessEnv): Vocabulary {
  return {
    facts: Object.fromEntries(Object.entries(FACTS).map(([name, fact]) => [name, fact.shape])),
    actions: ACTIONS,
    eventTypes: KNOWN_TYPES,
    isEnvSet: (name) => Object.hasOwn(env, name),
  };
}
