import { z } from 'zod';
import { checkingEnvironment } from '../../../src/rules/cel/environment.js';
import { compileCondition } from '../../../src/rules/cel/condition.js';
import type { Condition } from '../../../src/rules/cel/condition.js';
import type { ExpressionProblem } from '../../../src/rules/model/problem.js';
import { compileTemplate } from '../../../src/rules/liquid/template.js';
import type { Template } from '../../../src/rules/liquid/template.js';
import type { Shape, Vocabulary } from '../../../src/rules/model/vocabulary.js';

/** Facts for tests only, so that a new fact of the service changes no expected message. */
export const SHAPES: Readonly<Record<string, Shape>> = {
  device: {
    fields: {
      id: 'number',
      name: 'string',
      model_name: 'string',
      is_supervised: 'bool',
      enrolled_at: 'time',
      firewall: { fields: { enabled: 'bool' } },
      tags: { list: 'string' },
      p: 'bool',
      q: 'bool',
      r: 'bool',
    },
  },
  apps: { list: { fields: { name: 'string', version: 'string', size: 'number' } } },
  attributes: { mapOf: 'string' },
  group: { fields: { id: 'number', name: 'string' } },
};

const reference = z.union([z.int(), z.string().min(1)], 'expected a name or an id');

/** Everything that the rule files of tests can name. `SET` is the only environment variable. */
export const VOCABULARY: Vocabulary = {
  facts: SHAPES,
  deviceFacts: ['device', 'apps', 'attributes', 'group'],
  eventData: {},
  actions: {
    log: {
      class: 'safe',
      args: z.strictObject({
        message: z.string('expected a text'),
        level: z.enum(['info', 'warn'], 'expected info or warn').optional(),
      }),
      outputs: { message: 'string' },
      facts: [],
    },
    assign_group: {
      class: 'safe',
      args: z.strictObject({ group: reference }),
      outputs: { group_id: 'number' },
      facts: [],
    },
    run_script: {
      class: 'safe',
      args: z.strictObject({ script: reference }),
      outputs: { job_id: 'number' },
      facts: ['device'],
    },
    erase: { class: 'destructive', args: z.strictObject({}), outputs: {}, facts: [] },
    notify: {
      class: 'safe',
      args: z.strictObject({
        to: z.array(z.string('expected a text')),
        fields: z.looseObject({}).optional(),
      }),
      outputs: {},
      facts: [],
    },
  },
  eventTypes: ['device.enrolled', 'device.unenrolled', 'abm.device.added'],
  channelTypes: {
    chat: { about: 'A chat.', settings: z.strictObject({ url: z.string('expected a text') }) },
  },
  accounts: ['default', 'acme'],
  isEnvSet: (name) => name === 'SET',
};

const checking = checkingEnvironment(SHAPES);

/** A condition that must compile. */
export function condition(text: string): Condition {
  const compiled = compileCondition(text, checking, SHAPES);
  if ('message' in compiled) throw new Error(`${text}: ${compiled.message}`);
  return compiled;
}

/** The problem with a condition that must not compile. */
export function problemWithCondition(text: string): ExpressionProblem {
  const compiled = compileCondition(text, checking, SHAPES);
  if ('message' in compiled) return compiled;
  throw new Error(`this should not have compiled: ${text}`);
}

const TEMPLATE_SHAPES: Readonly<Record<string, Shape>> = {
  event: 'any',
  ...SHAPES,
  steps: { fields: { hello: { fields: { status: 'string', response: 'string' } } } },
};

/** A template that must compile. */
export function template(text: string): Template {
  const compiled = compileTemplate(text, TEMPLATE_SHAPES);
  if (Array.isArray(compiled)) throw new Error(`${text}: ${JSON.stringify(compiled)}`);
  return compiled;
}

/** The problem with a template that must not compile. */
export function problemWithTemplate(text: string): ExpressionProblem {
  const compiled = compileTemplate(text, TEMPLATE_SHAPES);
  if (Array.isArray(compiled) && compiled[0] !== undefined) return compiled[0];
  throw new Error(`this should not have compiled: ${text}`);
}
