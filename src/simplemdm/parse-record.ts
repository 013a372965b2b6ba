import { z } from 'zod';
import { jsonWord } from './answer-shape.js';

/** A field of a record that holds something else than the schema says. The field counts as unknown (null). */
export interface UnreadableField {
  /** The path in the schema, such as `firewall.enabled` or `ethernet_macs[]`. */
  readonly field: string;
  readonly expected: string;
  readonly found: string;
}

/** A record, and what in it could not be read; or why there is no record. */
export type ParsedRecord<T> =
  | { readonly record: T; readonly unreadable: readonly UnreadableField[]; readonly problem?: undefined }
  | { readonly record?: undefined; readonly problem: string };

/**
 * Parses a record field by field. A value of another type is converted when nothing is lost (`93` to `"93"`, `"12"` to `12`,
 * `"true"` to `true`); otherwise its field is null and reported. An item of a list that cannot be read is left out and reported. Only
 * a field that the schema requires, the `id`, refuses the record.
 */
export function parseRecord<T extends z.ZodType>(schema: T, value: unknown): ParsedRecord<z.output<T>> {
  const clean = schema.safeParse(value);
  if (clean.success) return { record: clean.data, unreadable: [] };
  const unreadable: UnreadableField[] = [];
  const parsed = schema.safeParse(readable(schema, value, '', unreadable));
  if (parsed.success) return { record: parsed.data, unreadable };
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  return { problem: `${field === '' ? 'the record' : field}: ${issue?.message ?? 'not as documented'}` };
}

/** The value with everything converted or removed that the schema would refuse. */
function readable(schema: z.ZodType, value: unknown, field: string, unreadable: UnreadableField[]): unknown {
  if (schema.safeParse(value).success) return value;
  const inner = innermost(schema);
  const report = (expected: string): void => {
    unreadable.push({ field, expected, found: jsonWord(value) });
  };
  if (inner instanceof z.ZodObject) {
    if (isRecord(value)) {
      const found: UnreadableField[] = [];
      const read = readableObject(inner, value, field, found);
      // An object that lacks its required id is no object. The record itself is refused instead.
      const isUsable = schema.safeParse(read).success || !schema.safeParse(null).success;
      unreadable.push(...(isUsable ? found : [withoutId(field)]));
      return isUsable ? read : null;
    }
    report('an object');
    return schema.safeParse(null).success ? null : readableObject(inner, {}, field, unreadable);
  }
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    const element = asSchema(inner.element);
    return value.flatMap((item: unknown) => {
      const found: UnreadableField[] = [];
      const read = readable(element, item, `${field}[]`, found);
      const isUsable = element.safeParse(read).success;
      unreadable.push(...(isUsable ? found : [unreadableItem(element, item, `${field}[]`)]));
      return isUsable ? [read] : [];
    });
  }
  const converted = conversionsOf(value).find((other) => schema.safeParse(other).success);
  if (converted !== undefined) return converted;
  // A missing value in a required field is reported as the refusal of the record.
  if (value !== undefined && value !== null) report(expectedWord(inner));
  return absent(schema);
}

function withoutId(field: string): UnreadableField {
  return { field, expected: 'an object with an id', found: 'an object without a usable one' };
}

function unreadableItem(element: z.ZodType, item: unknown, field: string): UnreadableField {
  if (isRecord(item)) return withoutId(field);
  return { field, expected: expectedWord(innermost(element)), found: jsonWord(item) };
}

function readableObject(
  schema: z.ZodObject,
  value: Readonly<Record<string, unknown>>,
  field: string,
  unreadable: UnreadableField[],
): Record<string, unknown> {
  const known = Object.entries(schema.shape).map(([name, inner]): [string, unknown] => [
    name,
    readable(asSchema(inner), value[name], pathTo(field, name), unreadable),
  ]);
  return {
    ...value,
    ...Object.fromEntries(known.filter(([name, read]) => read !== undefined || name in value)),
  };
}

/** Rules and metrics name a field without `attributes`. */
function pathTo(field: string, name: string): string {
  return field === '' || field === 'attributes' ? name : `${field}.${name}`;
}

/** What stands for an unreadable value: null or undefined, as the schema allows; undefined too when it allows neither. */
function absent(schema: z.ZodType): null | undefined {
  return schema.safeParse(null).success ? null : undefined;
}

const DECIMAL = /^-?(?:0|[1-9]\d{0,15})(?:\.\d+)?$/;
const FLAGS: Readonly<Record<string, boolean>> = { true: true, false: false, '1': true, '0': false };

/** The value as other types that say the same. */
function conversionsOf(value: unknown): unknown[] {
  if (typeof value === 'number') {
    const text = String(value);
    // A number in exponent form may have been written otherwise.
    const asText = DECIMAL.test(text) ? [text] : [];
    return value === 0 || value === 1 ? [...asText, value === 1] : asText;
  }
  if (typeof value !== 'string') return [];
  const trimmed = value.trim();
  const flag = FLAGS[trimmed.toLowerCase()];
  const number = Number(trimmed);
  const isExact = DECIMAL.test(trimmed) && (trimmed.includes('.') || Number.isSafeInteger(number));
  return [...(isExact ? [number] : []), ...(flag === undefined ? [] : [flag])];
}

/** The schema without `nullish`, defaults and transformations. */
function innermost(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault)
    return innermost(asSchema(schema.unwrap()));
  return schema instanceof z.ZodPipe ? innermost(asSchema(schema.in)) : schema;
}

function asSchema(schema: unknown): z.ZodType {
  return schema instanceof z.ZodType ? schema : z.unknown();
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The type that a schema wants, in words. */
function expectedWord(schema: z.ZodType): string {
  if (schema instanceof z.ZodUnion) {
    const words = schema.options.map((option) => expectedWord(innermost(asSchema(option))));
    return [...new Set(words)].join(' or ');
  }
  if (schema instanceof z.ZodString) return 'text';
  if (schema instanceof z.ZodNumber) return 'a number';
  if (schema instanceof z.ZodBoolean) return 'true or false';
  if (schema instanceof z.ZodArray) return 'a list';
  return schema instanceof z.ZodObject || schema instanceof z.ZodRecord ? 'an object' : 'another value';
}
