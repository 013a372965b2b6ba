import { logAttributes } from '../simplemdm/logs.js';
import { serialNumberOf } from './event-device.js';
import type { Fact } from './fact.js';
import { fieldsOf } from './schema-shape.js';

/** A device can have years of log: this many entries are read, ten pages. */
const MOST_ENTRIES = 1000;

/** The log of the event's device, by serial number: at most a thousand entries. */
export const logs: Fact = {
  shape: {
    list: {
      fields: {
        id: 'string',
        ...fieldsOf(logAttributes),
        at: 'time',
        level: 'string',
        metadata: { mapOf: 'any' },
      },
    },
  },
  about: 'the device\'s log entries, at most a thousand: `logs.exists(l, l.event_type == "script.ran")`',
  cost: 20,
  fetch: async (context) => {
    const serialNumber = await serialNumberOf(context);
    if (serialNumber === undefined) return null;
    const entries: Record<string, unknown>[] = [];
    for await (const { id, attributes } of context.api.logs.list({ serialNumber })) {
      const { namespace, event_type, level, source, at, metadata } = attributes;
      entries.push({ id, namespace, event_type, level, source, at, metadata });
      if (entries.length === MOST_ENTRIES) break;
    }
    return entries;
  },
};
