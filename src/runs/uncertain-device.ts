import { DEVICE_FACTS } from '../enrichment/registry.js';
import type { Event } from '../events/envelope.js';
import { uncertainDeviceOf } from '../events/webhook-types.js';
import type { Values } from '../rules/model/values.js';

/**
 * The values of a step for its condition: without the facts that are null only because the event does not name its device. A missing value
 * leaves a condition undecided; a null would make `device == null` true.
 */
export function certainValues(values: Values, event: Event): Values {
  if (uncertainDeviceOf(event) === undefined) return values;
  return Object.fromEntries(Object.entries(values).filter(([name, value]) => !isUncertainFact(name, value)));
}

/** Whether a fact of an event with an uncertain device says nothing. */
export function isUncertainFact(name: string, value: unknown): boolean {
  return value === null && DEVICE_FACTS.includes(name);
}
