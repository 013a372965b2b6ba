import type { Event } from '../events/envelope.js';
import type { Shape } from '../rules/model/vocabulary.js';
import { LookupTable } from '../rules/lookups/lookup-table.js';
import { EVENT_SHAPE, LOOKUP, lookupOfFact } from '../rules/model/vocabulary.js';
import { FACTS } from './registry.js';

/** The value of `event` in rules. */
export function eventValue({
  id,
  account,
  type,
  at,
  receivedAt,
  source,
  data,
}: Event): Record<string, unknown> {
  return { id, account, type, at, received_at: receivedAt, source, data };
}

/**
 * Converts values for conditions: times become dates, so that they compare with `timestamp("…")`. Templates use the values
 * unconverted. `steps` and unknown names are not converted.
 */
export function conditionValues(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, conditionValue(name, value)]),
  );
}

/** The shapes with times in them. */
const SHAPES: Readonly<Record<string, Shape>> = {
  ...Object.fromEntries(Object.entries(FACTS).map(([name, { shape }]) => [name, shape])),
  event: EVENT_SHAPE,
  raised: { fields: { at: 'time' } },
};

/** Converts one value for conditions. */
export function conditionValue(name: string, value: unknown): unknown {
  const shape = Object.hasOwn(SHAPES, name) ? SHAPES[name] : undefined;
  return withDates(value, shape ?? 'any');
}

/** Puts facts where rules read them: `attributes` also into `device.attributes`, each lookup into `lookup`. */
export function withNestedFacts(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { device, attributes } = values;
  const isKnown = attributes !== undefined && attributes !== null;
  const lookups = Object.entries(values).flatMap(([fact, table]) => {
    const name = lookupOfFact(fact);
    return name === undefined ? [] : [[name, table] as const];
  });
  return {
    ...values,
    ...(isKnown && { device: { ...Object(device ?? {}), attributes } }),
    ...(lookups.length > 0 && { [LOOKUP]: Object.fromEntries(lookups) }),
  };
}

function withDates(value: unknown, shape: Shape): unknown {
  if (value === null || value === undefined) return value;
  if (shape === 'time') {
    const date = typeof value === 'string' ? new Date(value) : undefined;
    return date === undefined || Number.isNaN(date.getTime()) ? null : date;
  }
  if (typeof shape === 'string' || 'oneOf' in shape || 'mapOf' in shape || 'tableOf' in shape)
    return withoutConstructors(value);
  if ('list' in shape) return Array.isArray(value) ? value.map((item) => withDates(item, shape.list)) : value;
  if (typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([field, inner]) => [
      field,
      withDates(inner, Object.hasOwn(shape.fields, field) ? (shape.fields[field] ?? 'any') : 'any'),
    ]),
  );
}

/** CEL recognizes records by their `constructor`, so a webhook field of that name would break the whole record. */
function withoutConstructors(value: unknown): unknown {
  // A view of rows that are never copied.
  if (value instanceof LookupTable) return value;
  if (Array.isArray(value)) return value.map(withoutConstructors);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) =>
      name === 'constructor' ? [] : [[name, withoutConstructors(inner)]],
    ),
  );
}
