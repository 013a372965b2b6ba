import { z } from 'zod';
import type { Shape } from '../rules/model/vocabulary.js';

/** The names of API fields with a time. */
const TIME_FIELD = /_(at|date)$/;

/** The shape of an API record for rules, derived from the schema that parses the record, so that the two always agree. */
export function shapeOf(schema: z.ZodType, name = ''): Shape {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault) {
    return shapeOf(unwrapped(schema.unwrap()), name);
  }
  if (schema instanceof z.ZodPipe) return shapeOf(unwrapped(schema.in), name);
  if (schema instanceof z.ZodUnion) {
    const first = schema.options[0];
    return first === undefined ? 'any' : shapeOf(unwrapped(first), name);
  }
  if (schema instanceof z.ZodObject) return { fields: fieldsOf(schema) };
  if (schema instanceof z.ZodArray) return { list: shapeOf(unwrapped(schema.element), name) };
  if (schema instanceof z.ZodString) return TIME_FIELD.test(name) ? 'time' : 'string';
  if (schema instanceof z.ZodNumber) return 'number';
  if (schema instanceof z.ZodBoolean) return 'bool';
  return 'any';
}

/** The shapes of an object's fields. */
export function fieldsOf(schema: z.ZodObject): Record<string, Shape> {
  return Object.fromEntries(
    Object.entries(schema.shape).map(([field, inner]) => [field, shapeOf(unwrapped(inner), field)]),
  );
}

function unwrapped(schema: unknown): z.ZodType {
  return schema instanceof z.ZodType ? schema : z.unknown();
}
