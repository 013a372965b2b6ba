import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { serviceVocabulary } from '../../../src/actions/service-vocabulary.js';
import { compileRuleFiles } from '../../../src/rules/compile-rule-files.js';
import type { CompiledRules } from '../../../src/rules/compile-rule-files.js';

const VOCABULARY = serviceVocabulary({}, ['default', '007']);

function compile(text: string): CompiledRules {
  return compileRuleFiles([{ name: 'r.yaml', text }], VOCABULARY);
}

function rule(...steps: readonly string[]): string {
  const lines = steps.map((step) => `      - ${step}`);
  return ['rules:', '  - id: a', '    on: device.enrolled', '    do:', ...lines, ''].join('\n');
}

/** The arguments of the steps of a file without problems. */
function argsOf(text: string): unknown[] {
  const { rules, problems } = compile(text);
  expect(problems.map((problem) => problem.text)).toEqual([]);
  return rules.flatMap(({ source }) => source.do.map(({ args }) => args));
}

/** What YAML does not read as a text, or did not in YAML 1.1. */
const FORMS = [
  '000123', '26.10', '0x1F', '0o17', '0777', '1e3', '12e45', '1.', '.5', '-0', '+5', '+15035550100', '42', '-7',
  '1234567890123456789012345', '12345678901234567', '0.1000000000000000055', '.inf', '-.INF', '.nan',
  'yes', 'no', 'on', 'off', 'True', 'FALSE', 'true', 'y', 'N', '2026-01-31', '2026-01-31T08:00:00Z', '1_000',
  '12:30:45', '0b101', '1e', '0x', '1.2.3', '08', '4.', '=',
]; // prettier-ignore

describe.each(FORMS)('%s is the text %s', (form) => {
  test('in every place that wants a text', () => {
    expect(
      argsOf(
        rule(
          `log: ${form}`,
          `log: { message: ${form} }`,
          `set_attribute: { name: ${form}, value: ${form} }`,
          `rename: { name: ${form} }`,
          `lock: { message: ${form}, phone_number: ${form} }`,
          `http_request: { method: POST, url: 'https://a.example', headers: { X-Code: ${form} }, form: { code: ${form} } }`,
        ),
      ),
    ).toEqual([
      { message: form },
      { message: form },
      { name: form, value: form },
      { name: form },
      { message: form, phone_number: form },
      { method: 'POST', url: 'https://a.example', headers: { 'X-Code': form }, form: { code: form } },
    ]);
  });

  test('as a key, in a label, in the description, through an alias and in block style', () => {
    const { rules, channels, problems } = compile(
      [
        'channels:',
        `  chat: { type: webhook, url: 'https://a.example', headers: { X: ${form}, ${form}: a } }`,
        'rules:',
        '  - id: a',
        '    on: device.enrolled',
        `    description: &d ${form}`,
        '    do:',
        '      - log: *d',
        `      - notify: { channel: chat, title: ${form}, text: ${form}, labels: { a: ${form}, ${form}: b } }`,
        '      - set_attribute:',
        '          name: code',
        `          value: ${form}   # as it is`,
        `      - http_request: { method: POST, url: 'https://a.example', json: { ${form}: [] } }`,
        '',
      ].join('\n'),
    );
    expect(problems.map((problem) => problem.text)).toEqual([]);
    expect(channels[0]?.settings).toEqual({
      url: 'https://a.example',
      headers: { X: form, [form]: 'a' },
    });
    expect(rules[0]?.source.description).toBe(form);
    expect(rules[0]?.source.do.map(({ args }) => args)).toEqual([
      { message: form },
      { channel: 'chat', title: form, text: form, labels: { a: form, [form]: 'b' } },
      { name: 'code', value: form },
      { method: 'POST', url: 'https://a.example', json: { [form]: [] } },
    ]);
  });
});

test('a list of texts, and a text or a list, keep each item as written', () => {
  const { rules, problems } = compile(
    [
      'rules:',
      '  - id: 0123',
      '    on: device.enrolled',
      '    accounts: [007]',
      '    do:',
      '      - log: a',
      '',
    ].join('\n'),
  );
  expect(problems).toEqual([]);
  expect(rules[0]?.source).toMatchObject({ id: '0123', accounts: ['007'] });
});

describe('where a number may be meant', () => {
  test.each([
    ['000123', '123'], ['26.10', '26.1'], ['0x1F', '31'], ['0o17', '15'], ['1e3', '1000'], ['+5', '5'],
    ['1.0', '1'], ['-0', '0'], ['12345678901234567', '12345678901234568'], ['.5', '0.5'],
  ])('%s is refused in JSON, data of an event and as an id, and the message shows both ways', (form, plain) => {
    for (const step of [
      `http_request: { method: POST, url: 'https://a.example', json: { a: [{ b: ${form} }] } }`,
      `http_request: { method: POST, url: 'https://a.example', json: ${form} }`,
      `emit: { type: acme.ready, data: { a: ${form} } }`,
      `notify: { channel: a, title: b, extra: ${form} }`,
    ]) {
      expect(compile(rule(step)).problems.map(({ message }) => message)).toContain(
        `YAML reads ${form} as the number ${plain}: put it in quotes if it is a text: "${form}", or write ${plain}`,
      );
    }
  }); // prettier-ignore

  test('the message has the place and the code', () => {
    const [problem, ...others] = compile(rule('assign_device_group: { group: 007 }')).problems;
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ code: 'rule/needs-quotes', line: 5, column: 39 });
    expect(problem?.text).toContain(
      'put it in quotes if it is a text: "007", or write 7 [rule/needs-quotes]',
    );
  });

  test.each(['.inf', '.nan', '1e999', '1234567890123456789012345'])(
    '%s is no number for JSON: only quotes help',
    (form) => {
      const [problem] = compile(
        rule(`http_request: { method: POST, url: 'https://a.example', json: { a: ${form} } }`),
      ).problems;
      expect(problem?.message).toMatch(
        new RegExp(`put it in quotes if it is a text: "${form.replace('.', '\\.')}"$`),
      );
    },
  );

  test('a number that keeps its form is a number, and a truth value is one in any spelling', () => {
    expect(
      argsOf(
        rule(
          `http_request: { method: POST, url: 'https://a.example', json: { a: 1, b: 26.1, c: -3, d: True, e: ~, f: yes, g: 2026-01-31 }, expect: 201 }`,
          'assign_device_group: { group: 41 }',
        ),
      ),
    ).toEqual([
      {
        method: 'POST',
        url: 'https://a.example',
        json: { a: 1, b: 26.1, c: -3, d: true, e: null, f: 'yes', g: '2026-01-31' },
        expect: 201,
      },
      { group: 41 },
    ]);
  });

  test('a reference that is no whole number is a name as written', () => {
    expect(argsOf(rule('assign_device_group: { group: 26.10 }'))).toEqual([{ group: '26.10' }]);
  });

  test('a number of a key keeps its form too', () => {
    const messages = compile(
      [
        'rules:', '  - id: a', '    on: device.enrolled', '    limit: { runs: 0x10, per: 1h }',
        '    do:', '      - log: a', '        for_each: apps', '        at_most: 1e2', '',
      ].join('\n'),
    ).problems.map(({ message }) => message); // prettier-ignore
    expect(messages).toEqual([
      'YAML reads 0x10 as the number 16: put it in quotes if it is a text: "0x10", or write 16',
      'YAML reads 1e2 as the number 100: put it in quotes if it is a text: "1e2", or write 100',
    ]);
  });
});

test.each(['~', 'null', 'Null'])('a bare %s is nothing, and quotes make it a text', (form) => {
  const [problem] = compile(rule(`log: { message: ${form} }`)).problems;
  expect(problem?.text).toContain(
    `message: expected a text; put it in quotes: "${form}" [rule/needs-quotes]`,
  );
});

test('any number stays as it is written, or is refused', () => {
  const digits = fc.string({
    unit: fc.constantFrom(...Array.from('0123456789.eExXo+-_')),
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(digits, (form) => {
      const { rules, problems } = compile(rule(`log: { message: ${form} }`));
      if (problems.length === 0) expect(rules[0]?.source.do[0]?.args).toEqual({ message: form });
      const inJson = compile(
        rule(`http_request: { method: POST, url: 'https://a.example', json: { a: ${form} } }`),
      );
      if (inJson.problems.length > 0) return;
      const json = JSON.stringify(inJson.rules[0]?.source.do[0]?.args['json']);
      expect([`{"a":${form}}`, JSON.stringify({ a: form })]).toContain(json);
    }),
    { numRuns: 300 },
  );
});
