import { logAttributes } from '../simplemdm/logs.js';
import { listWithGaps, serialNumberOf } from './event-device.js';
import type { Fact } from './fact.js';
import { fieldsOf } from './schema-shape.js';

/** Ten pages. A device can have years of log entries. */
const MAX_ENTRIES = 1000;

/** The log of the event's device, by serial number. */
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
  about: 'the log of the device, up to 1000 entries: `logs.exists(l, l.event_type == "script.ran")`',
  cost: 20,
  fetch: async (context) => {
    const serialNumber = await serialNumberOf(context);
    if (serialNumber === undefined) return null;
    return listWithGaps(async () => {
      const entries: Record<string, unknown>[] = [];
      for await (const { id, attributes } of context.api.logs.list({ serialNumber })) {
        const { namespace, event_type, level, source, at, metadata } = attributes;
        entries.push({ id, namespace, event_type, level, source, at, metadata });
        if (entries.length === MAX_ENTRIES) break;
      }
      return entries;
    });
  },
};
