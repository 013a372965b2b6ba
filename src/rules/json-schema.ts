import { z } from 'zod';
import { fileLookup, httpLookup } from './model/lookup-schema.js';
import { ruleFile, ruleInFile, stepInFile } from './model/rule-schema.js';
import type { Vocabulary } from './model/vocabulary.js';

/** A JSON Schema, or a part of one. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const objectSchema = z.looseObject({
  properties: z.record(z.string(), z.looseObject({})).default({}),
  required: z.array(z.string()).default([]),
});

/**
 * The JSON Schema (draft 7) of a rule file, for editors: its keys, the actions, and the arguments of each.
 * It does not check expressions and templates; loading the file does.
 */
export function rulesJsonSchema({ actions, channelTypes, eventTypes }: Vocabulary): JsonSchema {
  const step = jsonSchemaOf(stepInFile);
  const withActions = Object.entries(actions).map(
    ([name, { args, about, shorthand }]): [string, JsonSchema] => {
      const schema = { ...jsonSchemaOf(args), additionalProperties: false };
      const description = about === undefined ? {} : { description: about };
      if (shorthand === undefined) return [name, { ...schema, ...description }];
      return [name, { ...description, anyOf: [schema, schema.properties[shorthand] ?? {}] }];
    },
  );
  const channels = Object.entries(channelTypes).map(([type, { settings, about }]) => {
    const schema = jsonSchemaOf(settings);
    return {
      ...schema,
      description: about,
      properties: { type: { const: type }, ...schema.properties },
      required: ['type', ...schema.required],
      additionalProperties: false,
    };
  });
  const rule = jsonSchemaOf(ruleInFile);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'mdm-reflex rules',
    ...jsonSchemaOf(ruleFile),
    properties: {
      lookups: { type: ['object', 'null'], additionalProperties: { $ref: '#/definitions/lookup' } },
      channels: { type: ['object', 'null'], additionalProperties: { $ref: '#/definitions/channel' } },
      rules: { type: ['array', 'null'], items: { $ref: '#/definitions/rule' } },
    },
    required: [],
    additionalProperties: false,
    definitions: {
      lookup: {
        anyOf: [fileLookup, httpLookup].map((schema) => ({
          ...jsonSchemaOf(schema),
          additionalProperties: false,
        })),
      },
      channel: { type: 'object', properties: { type: { enum: Object.keys(channelTypes) } }, oneOf: channels },
      rule: {
        ...rule,
        properties: {
          ...rule.properties,
          on: {
            ...rule.properties['on'],
            description: `An event type, such as ${eventTypes.join(', ')}, a list of them (* matches anything), or a schedule.`,
          },
          do: { type: 'array', minItems: 1, items: { $ref: '#/definitions/step' } },
          on_clear: {
            ...rule.properties['on_clear'],
            type: 'array',
            minItems: 1,
            items: { $ref: '#/definitions/step' },
          },
        },
        additionalProperties: false,
      },
      step: {
        type: 'object',
        properties: { ...step.properties, ...Object.fromEntries(withActions) },
        additionalProperties: false,
        // Exactly one action beside the keys of the step.
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
    // A bare number or truth value is the text that the file has (`withTextsAsWritten`).
    override: ({ jsonSchema, path }) => {
      if (path.at(-1) === 'propertyNames') return;
      const { type, enum: choices, const: only } = jsonSchema;
      if (type === 'string' && choices === undefined && only === undefined)
        Object.assign(jsonSchema, { type: ['string', 'number', 'boolean'] });
    },
  });
  const whole = objectSchema.parse(generated);
  // The draft is named once, at the root.
  delete whole['$schema'];
  return whole;
}
