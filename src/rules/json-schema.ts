import { z } from 'zod';
import { ruleFile, ruleInFile, stepInFile } from './rule-schema.js';
import type { Vocabulary } from './vocabulary.js';

/** A JSON Schema, or a part of one. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const objectSchema = z.looseObject({ properties: z.record(z.string(), z.looseObject({})).default({}) });

/**
 * The JSON Schema (draft 7) of a rule file, for editors: which keys there are, which actions, and which arguments each takes.
 * What an expression or a text may name it does not know; loading the file checks that.
 */
export function rulesJsonSchema({ actions, eventTypes }: Vocabulary): JsonSchema {
  const step = jsonSchemaOf(stepInFile);
  const withActions = Object.entries(actions).map(([name, { args, about }]): [string, JsonSchema] => [
    name,
    {
      ...jsonSchemaOf(args),
      additionalProperties: false,
      ...(about !== undefined && { description: about }),
    },
  ]);
  const rule = jsonSchemaOf(ruleInFile);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'mdm-reflex rules',
    ...jsonSchemaOf(ruleFile),
    properties: { rules: { type: ['array', 'null'], items: { $ref: '#/definitions/rule' } } },
    additionalProperties: false,
    definitions: {
      rule: {
        ...rule,
        properties: {
          ...rule.properties,
          on: {
            ...rule.properties['on'],
            description: `An event type, such as ${eventTypes.join(', ')}; * stands for anything. One, or a list.`,
          },
          do: { type: 'array', minItems: 1, items: { $ref: '#/definitions/step' } },
        },
        additionalProperties: false,
      },
      step: {
        type: 'object',
        properties: { ...step.properties, ...Object.fromEntries(withActions) },
        additionalProperties: false,
        // One action, and what else belongs to a step.
        oneOf: Object.keys(actions).map((name) => ({ required: [name] })),
      },
    },
  };
}

function jsonSchemaOf(schema: z.ZodType) {
  const generated: unknown = z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
  });
  const whole = objectSchema.parse(generated);
  // The draft is named once, at the top.
  delete whole['$schema'];
  return whole;
}
