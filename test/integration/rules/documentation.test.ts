import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { deliveryPolicySettings } from '../../../src/alerts/delivery-policy.js';
import { ACTIONS } from '../../../src/actions/registry.js';
import { serviceVocabulary } from '../../../src/actions/service-vocabulary.js';
import { CHANNEL_TYPES } from '../../../src/channels/registry.js';
import { readSettings } from '../../../src/config/settings.js';
import { FACTS } from '../../../src/enrichment/registry.js';
import { FUNCTIONS } from '../../../src/rules/cel/functions.js';
import { rulesJsonSchema } from '../../../src/rules/json-schema.js';
import { compileRuleFiles } from '../../../src/rules/compile-rule-files.js';
import { ruleInFile, stepInFile } from '../../../src/rules/model/rule-schema.js';
import { createMetrics } from '../../../src/telemetry/metrics.js';
import { expectGenerated } from '../../support/generated-file.js';
import { markdownPages } from '../../support/markdown.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const ENV = {
  LOCK_PIN: '123456',
  ADMIN_PASSWORD: 'x',
  WIPE_PIN: '123456',
  PAGERDUTY_KEY: '0123456789abcdef0123456789abcdef',
  TICKETS_SECRET: 'x',
  TICKETS_TOKEN: 'x',
  SLACK_URL: 'https://slack.example.org/hook',
  TEAMS_URL: 'https://teams.example.org/hook',
  NTFY_TOPIC: 'acme-mdm',
  DEMO_CHAT_URL: 'http://127.0.0.1:9/services/demo',
  SMTP_URL: 'smtps://user:password@mail.example.org',
};
const ACCOUNTS = ['default', 'acme', 'globex'];
const vocabulary = serviceVocabulary(ENV, ACCOUNTS);

const read = (name: string): string => readFileSync(join(root, name), 'utf8');

const argumentSchema = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  pattern: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.looseObject({ type: z.string().optional() })).optional(),
});
const argumentsSchema = z.looseObject({
  properties: z.record(z.string(), argumentSchema).default({}),
  required: z.array(z.string()).default([]),
});

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'number',
  array: 'list',
  object: 'names and values',
  boolean: 'true or false',
};

/** What a user can write for an argument. */
function argumentType(schema: z.output<typeof argumentSchema>, kind: string | undefined): string {
  if (schema.enum !== undefined) return schema.enum.map(String).join(', ');
  if (schema.pattern?.endsWith('[smhd]$') === true) return 'duration';
  const types = (schema.anyOf ?? [schema]).flatMap(({ type = 'anything' }) => type);
  if (kind !== undefined) {
    const by = types.includes('integer') ? 'by name or id' : 'by name';
    return `${kind} ${by}${types.includes('array') ? ', or a list' : ''}`;
  }
  // An argument that takes a number or a text is an id or a template.
  const words: Readonly<Record<string, string>> = {
    ...TYPE_WORDS,
    ...(types.includes('string') && { integer: 'id' }),
  };
  return types.map((type) => words[type] ?? type).join(' or ');
}

function argumentsOf(args: z.ZodType, kinds: Readonly<Record<string, string>> = {}): string {
  const { properties, required } = argumentsSchema.parse(
    z.toJSONSchema(args, { target: 'draft-7', io: 'input', unrepresentable: 'any' }),
  );
  const shown = Object.entries(properties).map(
    ([name, schema]) =>
      `\`${name}\`${required.includes(name) ? '' : '?'} (${argumentType(schema, kinds[name])})`,
  );
  return shown.join(', ') || 'none';
}

const outputsOf = (outputs: Readonly<Record<string, unknown>>): string =>
  Object.keys(outputs)
    .map((output) => `\`${output}\``)
    .join(', ') || 'none';

const CLASSES = {
  safe: ['Safe', 'These actions interrupt nobody.'],
  disruptive: ['Disruptive', 'These actions interrupt the person who uses the device.'],
  destructive: [
    'Destructive',
    'These actions cannot be undone. The rule must say `allow: [destructive]`, or it does not load. [More restrictions](rules.md#destructive-actions) apply.',
  ],
} as const;

test('docs/actions.md is generated', async () => {
  const sections = (['safe', 'disruptive', 'destructive'] as const).flatMap((kind) => {
    const actions = Object.entries(ACTIONS).filter(([, action]) => action.class === kind);
    return [
      '',
      `## ${CLASSES[kind][0]}`,
      '',
      CLASSES[kind][1],
      '',
      actions.map(([name]) => `[\`${name}\`](#${name})`).join(' · '),
      ...actions.flatMap(([name, action]) => [
        '',
        `### ${name}`,
        '',
        action.about,
        '',
        '```yaml',
        `- ${action.example}`,
        '```',
        '',
        `- Arguments: ${argumentsOf(action.args, action.refersTo)}`,
        `- Outputs: ${outputsOf(action.outputs)}`,
        ...(action.shorthand === undefined
          ? []
          : [`- Short form: \`${name}: …\` sets \`${action.shorthand}\`.`]),
      ]),
    ];
  });
  const text = [
    '# Actions',
    '',
    '<!-- Generated by test/integration/rules/documentation.test.ts. -->',
    '',
    'A step of a rule names one action.',
    '',
    '```yaml',
    'do:',
    '  - assign_device_group: { group: Laptops }',
    '  - run_script: Say hi',
    '```',
    '',
    '- **Device.** Actions on a device act on the device of the event. If there is no device, or the device cannot perform the action, the step is skipped. The trace says why.',
    '- **Names and ids.** Give groups, scripts, profiles, enrollments and DEP servers by name or id.',
    '- **Arguments.** `?` marks an optional argument.',
    '- **Outputs.** Later steps use outputs as `steps.<id>.<output>`. Every step has `status` (`completed`, `skipped` or `failed`) and `reason`. The lists below show the outputs beyond these two.',
    '- **Dry run.** With `mode: dry_run` on the rule, or `READ_ONLY=1` for the service, nothing is sent. The trace shows each call that would be made.',
    ...sections,
    '',
  ].join('\n');
  await expectGenerated('docs/actions.md', text);
});

test.each(['README.md', 'CHANGELOG.md'])('%s states the number of actions', (page) => {
  const counts = [...read(page).matchAll(/(\d+)\s+actions/g)].map(([, count]) => Number(count));
  expect(counts).toEqual([Object.keys(ACTIONS).length]);
});

describe('docs/reference/settings.md', () => {
  const rows = [...read('docs/reference/settings.md').matchAll(/^\| `([A-Z_]+)` *\| *(?:`([^`]*)`)? *\|/gm)];
  const documented = new Map(rows.map(([, name = '', value]) => [name, value]));
  const defaults = Object.entries(readSettings({}, []));

  test('lists the settings of .env.example, and no others', () => {
    const example = [...read('.env.example').matchAll(/^#?([A-Z_]+)=/gm)].map(([, name]) => name);
    expect(documented.size).toBeGreaterThan(20);
    // Rules name this variable. The service itself does not read it.
    expect(example.filter((name) => name !== 'SLACK_URL').sort()).toEqual([...documented.keys()].sort());
  });

  test.each(defaults)('states the default of %s', (name, value) => {
    const text = documented.get(name) ?? '';
    const expected = typeof value === 'boolean' ? String(Number(value)) : String(value);
    expect(text.startsWith('./') ? resolve(text) : text).toBe(expected);
  });
});

test('docs/reference/cli.md names every command and option', () => {
  const sources = readdirSync(join(root, 'src/cli'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => read(`src/cli/${file}`).replace(/\/\*[^]*?\*\/|\/\/.*$/gm, ''));
  const page = read('docs/reference/cli.md');
  const missing = sources
    .flatMap((source) => [
      ...[...source.matchAll(/'(--[a-z-]+)[ ']/g)].map(([, option = '']) => option),
      ...[...source.matchAll(/\.command\('([a-z]+)'\)/g)].map(([, command = '']) => command),
    ])
    .filter((name) => !new RegExp(`\\b${name.replace(/^--/, '')}\\b`).test(page));
  expect(missing).toEqual([]);
});

const examplesIn = (page: string): string[] =>
  [...read(page).matchAll(/^```yaml\n(.*?)^```/gms)].flatMap(([, text = '']) =>
    /^rules:\n/m.test(text) ? [text] : [],
  );

const examples = markdownPages(root).flatMap((page) =>
  examplesIn(page).map((text, index): [string, number, string] => [page, index + 1, text]),
);

test('the pages with the most examples have examples', () => {
  const pages = examples.map(([page]) => page);
  expect(pages).toEqual(
    expect.arrayContaining([
      'README.md',
      'docs/rules.md',
      'docs/guides/alerts.md',
      'docs/guides/write-rules.md',
    ]),
  );
});

test.each(examples)('%s: rule example %i has no problems', (_page, _index, text) => {
  const open = { ...vocabulary, isEnvSet: () => true };
  expect(compileRuleFiles([{ name: 'r.yaml', text }], open)).toMatchObject({ problems: [], warnings: [] });
});

test('rules.schema.json is generated', async () => {
  await expectGenerated('rules.schema.json', JSON.stringify(rulesJsonSchema(vocabulary)));
});

describe('the example of every action', () => {
  test.each(Object.entries(ACTIONS))(
    '%s is valid for the compiler and for the JSON Schema',
    (name, action) => {
      const text = `
channels:
  it-chat: { type: slack, url: https://chat.example.org/hook }
rules:
  - id: example
    on: device.enrolled
    allow: [destructive]
    do:
      - run_script: { script: Say hi }
        id: hello
      - ${action.example}
`;
      expect(compileRuleFiles([{ name: 'r.yaml', text }], vocabulary).problems).toEqual([]);
      const validate = new Ajv({ allowUnionTypes: true }).compile(rulesJsonSchema(vocabulary));
      expect({ valid: validate(parse(text)), errors: validate.errors }).toEqual({
        valid: true,
        errors: null,
      });
      expect(action.example.startsWith(`${name}: `)).toBe(true);
    },
  );
});

describe('the JSON Schema', () => {
  const validate = new Ajv({ allowUnionTypes: true }).compile(rulesJsonSchema(vocabulary));

  test.each(
    ['rules', 'rules/demo', 'rules/examples'].flatMap((folder) =>
      readdirSync(join(root, folder)).flatMap((file) => (file.endsWith('.yaml') ? [join(folder, file)] : [])),
    ),
  )('accepts %s', (file) => {
    const text = read(file);
    expect(validate(parse(text))).toBe(true);
    expect(compileRuleFiles([{ name: file, text }], vocabulary).problems).toEqual([]);
  });

  test.each([
    ['an unknown key', 'rules: [{ id: a, on: x, dos: [] }]'],
    ['an unknown action', 'rules: [{ id: a, on: x, do: [lgo: { message: hi }] }]'],
    ['an unknown argument', 'rules: [{ id: a, on: x, do: [log: { mesage: hi }] }]'],
    ['two actions in a step', 'rules: [{ id: a, on: x, do: [{ log: { message: hi }, wipe: {} }] }]'],
    ['no step', 'rules: [{ id: a, on: x, do: [] }]'],
    ['an id with capitals', 'rules: [{ id: A, on: x, do: [log: { message: hi }] }]'],
  ])('rejects %s', (_problem, text) => {
    expect(validate(parse(text))).toBe(false);
  });
});

test.each(FUNCTIONS)('$call compiles', ({ call }) => {
  const text = `rules: [{ id: a, on: device.enrolled, if: '${call}', do: [log: { message: hi }] }]`;
  expect(compileRuleFiles([{ name: 'r.yaml', text }], vocabulary).problems).toEqual([]);
});

/** Checks a generated part of a page, between two comments. UPDATE_DOCS=1 writes the part. */
async function expectRegion(page: string, name: string, lines: readonly string[]): Promise<void> {
  const before = read(page);
  const region = new RegExp(`(<!-- generated: ${name} -->\n)[^]*?(<!-- end -->)`);
  expect(before).toMatch(region);
  const text = before.replace(
    region,
    (_all, start: string, end: string) => `${start}\n${lines.join('\n')}\n\n${end}`,
  );
  await expectGenerated(page, text);
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] =>
  [head, head.map(() => '---'), ...rows].map(
    (row) => `| ${row.map((cell) => cell.replace(/\|/g, '\\|')).join(' | ')} |`,
  );

const described = z.looseObject({ description: z.string(), default: z.unknown().optional() });

function keysOf(schema: z.ZodType): string[][] {
  const { properties } = z
    .looseObject({ properties: z.record(z.string(), described) })
    .parse(z.toJSONSchema(schema, { target: 'draft-7', io: 'input', unrepresentable: 'any' }));
  return Object.entries(properties).map(([name, { description }]) => [`\`${name}\``, description]);
}

const COSTS: Readonly<Record<number, string>> = {
  1: '1 call',
  2: '1 or 2 calls',
};

test('the tables of docs/rules.md are generated', async () => {
  await expectRegion('docs/rules.md', 'rule keys', table(['key', 'meaning'], keysOf(ruleInFile)));
  await expectRegion('docs/rules.md', 'step keys', table(['key', 'meaning'], keysOf(stepInFile)));
  await expectRegion(
    'docs/rules.md',
    'facts',
    table(
      ['fact', 'content', 'cost'],
      Object.entries(FACTS).map(([name, { about, cost }]) => [
        `\`${name}\``,
        about,
        COSTS[cost] ?? '1 call per 100 entries of the list',
      ]),
    ),
  );
  await expectRegion(
    'docs/rules.md',
    'functions',
    table(
      ['call', 'result'],
      FUNCTIONS.map(({ call, about }) => [`\`${call}\``, about]),
    ),
  );
});

function settingsOf(settings: z.ZodType): string {
  const shared = Object.keys(deliveryPolicySettings);
  const { properties, required } = argumentsSchema.parse(
    z.toJSONSchema(settings, { target: 'draft-7', io: 'input', unrepresentable: 'any' }),
  );
  return Object.keys(properties)
    .filter((name) => !shared.includes(name))
    .map((name) => `\`${name}\`${required.includes(name) ? '' : '?'}`)
    .join(', ');
}

test('the channel types of docs/reference/channels.md are generated', async () => {
  const rows = Object.entries(CHANNEL_TYPES).map(([type, { about, settings, example }]) => [
    `\`${type}\``,
    about,
    settingsOf(settings),
    `\`${example}\``,
  ]);
  await expectRegion(
    'docs/reference/channels.md',
    'channels',
    table(['type', 'service', 'settings', 'example'], rows),
  );
});

const metricSchema = z.object({
  name: z.string(),
  help: z.string(),
  type: z.string(),
  labelNames: z.array(z.string()),
});

const metrics = z
  .array(metricSchema)
  .parse(createMetrics().registry.getMetricsAsArray())
  .filter(({ name }) => name.startsWith('mdm_reflex_'));

test.each(markdownPages(root))('every metric that %s names exists', (page) => {
  const names = [...read(page).matchAll(/\bmdm_reflex_\w+/g)].map(([name]) => name);
  expect(metrics.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
});

test('the metrics of docs/reference/metrics.md are generated', async () => {
  expect(metrics.length).toBeGreaterThan(10);
  await expectRegion(
    'docs/reference/metrics.md',
    'metrics',
    table(
      ['metric', 'type', 'labels', 'meaning'],
      metrics.map(({ name, type, labelNames, help }) => [
        `\`${name}\``,
        type,
        labelNames.map((label) => `\`${label}\``).join(', '),
        help,
      ]),
    ),
  );
});

test.each(Object.entries(CHANNEL_TYPES))(
  'the example of %s is valid for the compiler and for the JSON Schema',
  (_type, { example }) => {
    const text = `channels:\n  ${example}\n`;
    const open = { ...vocabulary, isEnvSet: () => true };
    expect(compileRuleFiles([{ name: 'r.yaml', text }], open).problems).toEqual([]);
    const validate = new Ajv({ allowUnionTypes: true }).compile(rulesJsonSchema(vocabulary));
    expect({ valid: validate(parse(text)), errors: validate.errors }).toEqual({ valid: true, errors: null });
  },
);
