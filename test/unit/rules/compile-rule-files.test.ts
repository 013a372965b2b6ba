import { describe, expect, test } from '@jest/globals';
import { compileRuleFiles } from '../../../src/rules/compile-rule-files.js';
import type { CompiledRules } from '../../../src/rules/compile-rule-files.js';
import type { RuleProblem } from '../../../src/rules/model/problem.js';
import { VOCABULARY } from './test-vocabulary.js';

/** Marks the character where a problem is expected. */
const MARK = '‸';

interface Marked {
  readonly text: string;
  /** The position of each mark: `line:column`, and the line with a caret below it. */
  readonly places: readonly { readonly at: string; readonly excerpt: string }[];
}

function marked(file: string): Marked {
  const text = file.replaceAll(MARK, '');
  const places = file.split('\n').flatMap((line, index) => {
    const pieces = line.split(MARK);
    return pieces.slice(1).map((_piece, which) => {
      const column = pieces.slice(0, which + 1).join('').length;
      return {
        at: `${index + 1}:${column + 1}`,
        excerpt: `    ${pieces.join('')}\n    ${' '.repeat(column)}^`,
      };
    });
  });
  return { text, places };
}

function compile(...texts: string[]): CompiledRules {
  return compileRuleFiles(
    texts.map((text, index) => ({ name: texts.length === 1 ? 'r.yaml' : `r${index + 1}.yaml`, text })),
    VOCABULARY,
  );
}

const textsOf = ({ problems }: CompiledRules): string[] => problems.map(({ text }) => text);

/** Expects each message, with its code, at the mark of the same index. A regular expression matches a message of a library. */
function expectProblems(file: string, messages: readonly (string | RegExp)[]): void {
  const { text, places } = marked(file);
  const problems = compile(text).problems.toSorted(byPosition);
  expect(problems).toHaveLength(messages.length);
  expect(places).toHaveLength(messages.length);
  for (const [index, message] of messages.entries()) {
    const problem = problems[index]?.text ?? '';
    const place = places[index];
    const start = `r.yaml:${place?.at ?? ''}: `;
    const end = `\n${place?.excerpt ?? ''}`;
    if (typeof message === 'string') {
      expect(problem).toBe(start + message + end);
    } else {
      expect(problem.slice(0, start.length)).toBe(start);
      expect(problem.slice(start.length)).toMatch(message);
      expect(problem.endsWith(end)).toBe(true);
    }
  }
}

function byPosition(a: RuleProblem, b: RuleProblem): number {
  const position = ({ line = 0, column = 0 }: RuleProblem): number => line * 10_000 + column;
  return position(a) - position(b);
}

/** A file of one rule with these lines below its id. */
function rule(...lines: string[]): string {
  return ['rules:', '  - id: a', ...lines.map((line) => `    ${line}`), ''].join('\n');
}

const ON = 'on: device.enrolled';
const DO = ['do:', '  - log: { message: hi }'];

describe('broken files: the message, its code, its position and the line', () => {
  test.each<[string, string, (string | RegExp)[]]>([
    // The file
    [
      'an unknown key',
      '‸ruels: []\nrules: []\n',
      ['unknown key "ruels"; did you mean "rules"? [rule/unknown-key]'],
    ],
    [
      'rules that are a map',
      'rules:\n  ‸a: {}\n',
      ['rules: expected a list of rules, each beginning with "- id:" [rule/invalid-value]'],
    ],
    [
      'rules that are a text',
      'rules: ‸hello\n',
      ['rules: expected a list of rules, each beginning with "- id:" [rule/invalid-value]'],
    ],
    ['a list instead of a file', '‸- id: a\n', [/expected "rules:" and a list of rules/]],
    ['a text instead of a file', '‸hello\n', [/expected "rules:" and a list of rules/]],
    ['a text instead of a rule', 'rules:\n  - ‸hello\n', [/expected a rule, with id, on and do/]],
    // YAML
    [
      'a YAML mistake',
      rule(ON, 'if: ‸a: b', ...DO),
      [
        'a text with ": " in it needs quotes: \'a: b\'; or the next line is indented too far [rule/needs-quotes]',
      ],
    ],
    [
      'a tab',
      'rules:\n‸\t- id: a\n',
      ['tabs are not allowed as indentation: use spaces [rule/invalid-yaml]'],
    ],
    [
      'a duplicate key',
      rule(ON, '‸on: device.unenrolled', ...DO),
      ['the key "on" appears twice [rule/invalid-yaml]'],
    ],
    [
      'two documents',
      'rules: []\n‸---\nrules: []\n',
      ['a file holds one YAML document: remove the "---" [rule/invalid-yaml]'],
    ],
    [
      'a star without quotes',
      rule('on: ‸*', ...DO),
      ['a text that begins with * needs quotes: "*" [rule/needs-quotes]'],
    ],
    [
      'a pattern without quotes',
      rule('on: ‸*.enrolled', ...DO),
      [/a text that begins with \* needs quotes: "\*\.enrolled"/],
    ],
    // The rule
    [
      'a misspelled key',
      rule(ON, '‸iff: "true"', ...DO),
      ['unknown key "iff"; did you mean "if"? [rule/unknown-key]'],
    ],
    [
      'an id in capitals',
      `rules:\n  - id: ‸Onboard\n    ${ON}\n    do: [log: { message: hi }]\n`,
      [
        'id: expected lower-case letters, digits, - and _ (at most 64), starting with a letter or digit, such as "onboard" [rule/invalid-value]',
      ],
    ],
    [
      'no id',
      `rules:\n  - ‸on: x\n    do: [log: { message: hi }]\n`,
      ['missing key "id": expected a name for the rule, such as "onboard-laptops" [rule/missing-key]'],
    ],
    [
      'no event type',
      `rules:\n  - ‸id: a\n    do: [log: { message: hi }]\n`,
      [
        'missing key "on": expected an event type such as "device.enrolled", a list of them, or a schedule [rule/missing-key]',
      ],
    ],
    [
      'an empty list of event types',
      rule('on: ‸[]', ...DO),
      ['on: expected at least one event type [rule/invalid-value]'],
    ],
    [
      'a misspelled event type',
      rule('on: ‸device.enroled', ...DO),
      [
        'unknown event type "device.enroled"; did you mean "device.enrolled"? (for a new type with a similar name write a pattern: "device.enroled*") [rule/unknown-event-type]',
      ],
    ],
    [
      'a misspelled event type in a list',
      rule('on: [device.enrolled, ‸device.unenroled]', ...DO),
      [
        'unknown event type "device.unenroled"; did you mean "device.unenrolled"? (for a new type with a similar name write a pattern: "device.unenroled*") [rule/unknown-event-type]',
      ],
    ],
    [
      'a misspelled event type in a list of one',
      rule('on: [‸device.enroled]', ...DO),
      [
        'unknown event type "device.enroled"; did you mean "device.enrolled"? (for a new type with a similar name write a pattern: "device.enroled*") [rule/unknown-event-type]',
      ],
    ],
    [
      'enabled: yes',
      rule(ON, 'enabled: ‸yes', ...DO),
      ['enabled: expected true or false [rule/invalid-value]'],
    ],
    [
      'a description that is a list',
      rule(ON, 'description: ‸[a]', ...DO),
      ['description: expected a text [rule/invalid-value]'],
    ],
    [
      'no steps',
      `rules:\n  - ‸id: a\n    ${ON}\n`,
      [
        'missing key "do": expected a list of steps, each beginning with "- ", such as "- log: hello" [rule/missing-key]',
      ],
    ],
    ['an empty list of steps', rule(ON, 'do: ‸[]'), ['do: expected at least one step [rule/invalid-value]']],
    [
      'steps that are a map',
      rule(ON, 'do:', '  ‸log: { message: hi }'),
      ['do: expected a list of steps, each beginning with "- ", such as "- log: hello" [rule/invalid-value]'],
    ],
    // Steps
    [
      'a step without an action',
      rule(ON, 'do:', '  - ‸id: x'),
      ['a step needs an action, such as "assign_device_group: { group: Laptops }" [rule/invalid-step]'],
    ],
    [
      'two actions in a step',
      rule(ON, 'do:', '  - log: { message: hi }', '    ‸run_script: { script: 1 }'),
      ['a step has one action; this one has "log" and "run_script" [rule/invalid-step]'],
    ],
    [
      'a misspelled on_error',
      rule(ON, 'do:', '  - log: { message: hi }', '    ‸on_eror: stop'),
      ['unknown key "on_eror" beside log; did you mean "on_error"? [rule/unknown-key]'],
    ],
    [
      'a bad on_error',
      rule(ON, 'do:', '  - log: { message: hi }', '    on_error: ‸ignore'),
      ['on_error: expected "stop" or "continue" [rule/invalid-value]'],
    ],
    [
      'a bad step id',
      rule(ON, 'do:', '  - log: { message: hi }', '    id: ‸My-Id'),
      [
        'id: expected lower-case letters, digits and _ (at most 32), starting with a letter, such as "my_id" [rule/invalid-value]',
      ],
    ],
    [
      'two steps with one id',
      rule(ON, 'do:', '  - log: { message: a }', '    id: x', '  - log: { message: b }', '    id: ‸x'),
      ['two steps have the id "x" [rule/duplicate-id]'],
    ],
    [
      'an unknown action',
      rule(ON, 'do:', '  - ‸lgo: {}'),
      ['unknown action "lgo"; did you mean "log"? [rule/unknown-action]'],
    ],
    [
      'an action that cannot be undone',
      rule(ON, 'do:', '  - ‸erase: {}'),
      ['erase cannot be undone: add "allow: [destructive]" to the rule if you mean it [rule/not-allowed]'],
    ],
    [
      'an unknown value of allow',
      rule(ON, 'allow: [‸disruptive]', ...DO),
      ['expected [destructive], for actions that cannot be undone [rule/invalid-value]'],
    ],
    [
      'an unknown mode',
      rule(ON, 'mode: ‸dry', ...DO),
      ['mode: expected "live" or "dry_run" [rule/invalid-value]'],
    ],
    [
      'an unknown account',
      rule(ON, 'accounts: [default, ‸acm]', ...DO),
      ['there is no account "acm"; did you mean "acme"? [rule/unknown-account]'],
    ],
    [
      'an unknown action without a similar one',
      rule(ON, 'do:', '  - ‸wipe_it_all: {}'),
      ['unknown action "wipe_it_all" [rule/unknown-action]'],
    ],
    [
      'an action called constructor',
      rule(ON, 'do:', '  - ‸constructor: {}'),
      ['unknown action "constructor" [rule/unknown-action]'],
    ],
    [
      'an action called toString',
      rule(ON, 'do:', '  - ‸toString: {}'),
      ['unknown action "toString" [rule/unknown-action]'],
    ],
    [
      'arguments that are a text',
      rule(ON, 'do:', '  - log: ‸hi'),
      ['log: expected its arguments, such as { name: value } [rule/invalid-step]'],
    ],
    [
      'arguments that are a list',
      rule(ON, 'do:', '  - log: ‸[hi]'),
      ['log: expected its arguments, such as { name: value } [rule/invalid-step]'],
    ],
    [
      'an unknown argument',
      rule(ON, 'do:', '  - log: { message: hi, ‸levle: info }'),
      ['unknown argument "levle"; did you mean "level"? [rule/unknown-argument]'],
    ],
    [
      'an argument of a wrong type',
      rule(ON, 'do:', '  - assign_group:', '      group: ‸[Laptops]'),
      ['group: expected a name or an id [rule/invalid-value]'],
    ],
    [
      'an argument that is not among the choices',
      rule(ON, 'do:', '  - log: { message: hi, level: ‸loud }'),
      ['level: expected info or warn [rule/invalid-value]'],
    ],
    [
      'a missing argument',
      rule(ON, 'do:', '  - assign_group: ‸{}'),
      ['missing argument "group": expected a name or an id [rule/missing-key]'],
    ],
    [
      'a wrong argument in a list',
      rule(ON, 'do:', '  - notify: { to: [a, ‸~] }'),
      ['to.1: expected a text; put it in quotes: "~" [rule/needs-quotes]'],
    ],
    [
      'an unset environment variable',
      rule(ON, 'do:', '  - log: { message: "‸${env:NOPE}" }'),
      [
        'the environment variable NOPE is not set: write it into .env, which a running service reads again within seconds, or set it and restart the service [rule/env-not-set]',
      ],
    ],
    [
      'an unset environment variable twice in a text is one problem',
      rule(ON, 'do:', '  - log: { message: "‸${env:NOPE} ${env:NOPE}" }'),
      [
        'the environment variable NOPE is not set: write it into .env, which a running service reads again within seconds, or set it and restart the service [rule/env-not-set]',
      ],
    ],
    // Conditions
    [
      'a misspelled field in `if`',
      rule(ON, 'if: device.‸nmae == "x"', ...DO),
      ['unknown field "nmae"; did you mean "name"? [rule/unknown-field]'],
    ],
    [
      'a misspelled field in the `if` of a step',
      rule(ON, 'do:', '  - log: { message: hi }', '    if: device.‸nmae == "x"'),
      ['unknown field "nmae"; did you mean "name"? [rule/unknown-field]'],
    ],
    [
      'an `if` that is not true or false',
      rule(ON, 'if: ‸device.name', ...DO),
      ['a condition must be true or false; this one is a text: compare it with a value [rule/type-mismatch]'],
    ],
    [
      'an `if` that is a number',
      rule(ON, 'if: ‸5', ...DO),
      [
        'a condition must be true or false; this one is a number: compare it with a value [rule/type-mismatch]',
      ],
    ],
    ['an empty `if`', rule(ON, 'if: "‸"', ...DO), ['if: expected an expression [rule/invalid-value]']],
    [
      'the result of a step in the `if` of the rule',
      rule(ON, 'if: ‸steps.a.status == "x"', ...DO),
      ['unknown name "steps": only later steps can read the results of steps [rule/unknown-name]'],
    ],
    [
      'the result of a later step',
      rule(
        ON,
        'do:',
        '  - log: { message: a }',
        '    if: steps.‸later.status == "x"',
        '  - log: { message: b }',
        '    id: later',
      ),
      ['no earlier step has the id "later" [rule/unknown-step]'],
    ],
    [
      'the result of a later step in a template',
      rule(
        ON,
        'do:',
        '  - log: { message: "{{ ‸steps.later.status }}" }',
        '  - log: { message: b }',
        '    id: later',
      ),
      ['no earlier step has the id "later" [rule/unknown-step]'],
    ],
    [
      'the result of the step itself',
      rule(ON, 'do:', '  - log: { message: "{{ ‸steps.me.status }}" }', '    id: me'),
      ['no earlier step has the id "me" [rule/unknown-step]'],
    ],
    [
      'an unknown output of an action',
      rule(
        ON,
        'do:',
        '  - log: { message: a }',
        '    id: one',
        '  - log: { message: "{{ ‸steps.one.mesage }}" }',
      ),
      ['unknown field "mesage" of steps.one; did you mean "message"? [rule/unknown-field]'],
    ],
    // Templates
    [
      'a misspelled field in a template',
      rule(ON, 'do:', '  - log: { message: "{{ ‸device.nmae }}" }'),
      ['unknown field "nmae" of device; did you mean "name"? [rule/unknown-field]'],
    ],
    [
      'a misspelled field in a template, the same word before it',
      rule(ON, 'do:', '  - log:', '      message: A device {{ ‸device.nmae }}'),
      ['unknown field "nmae" of device; did you mean "name"? [rule/unknown-field]'],
    ],
    [
      'a misspelled field of the event in a template',
      rule(ON, 'do:', '  - log: { message: "{{ ‸event.tpye }}" }'),
      ['unknown field "tpye" of event; did you mean "type"? [rule/unknown-field]'],
    ],
    [
      'a misspelled filter',
      rule(ON, 'do:', '  - log: { message: "Hi {{ device.name | ‸upcas }}" }'),
      ['unknown filter "upcas"; did you mean "upcase"? [rule/invalid-template]'],
    ],
    [
      'an open template',
      rule(ON, 'do:', '  - log: { message: "‸{{ device.name" }'),
      ['"{{" is not closed: "}}" is missing [rule/invalid-template]'],
    ],
    [
      'a template within a list within arguments',
      rule(ON, 'do:', '  - notify:', '      to: [a, "{{ ‸device.nmae }}"]'),
      ['unknown field "nmae" of device; did you mean "name"? [rule/unknown-field]'],
    ],
    [
      'a template deep within arguments',
      rule(ON, 'do:', '  - notify:', '      to: []', '      fields: { a: { b: "{{ ‸device.nmae }}" } }'),
      ['unknown field "nmae" of device; did you mean "name"? [rule/unknown-field]'],
    ],
  ])('%s', (_what, file, messages) => {
    expectProblems(file, messages);
  });

  test('a template that includes a file is a problem with its position', () => {
    const { problems } = compile(rule(ON, 'do:', `  - log: { message: "{% include 'x' %}" }`));
    expect(problems).toHaveLength(1);
    expect(problems[0]?.text).toMatch(/^r\.yaml:5:\d+: /);
  });

  test.each(['log', '[log]', ''])(
    'the problem of a step that is not a map (%j) does not start with "0: "',
    (step) => {
      const [problem] = compile(rule(ON, 'do:', `  - ${step}`)).problems;
      expect(problem?.text).toMatch(/^r\.yaml:5:[89]: (?!0:)/);
    },
  );

  test('an alias bomb is a problem of the file and does not crash the process', () => {
    const ten = (name: string): string => Array(10).fill(`*${name}`).join(', ');
    const bomb = `a: &a [${Array(10).fill('x').join(', ')}]\nb: &b [${ten('a')}]\nc: &c [${ten('b')}]\nrules: [${ten('c')}]\n`;
    expect(compile(bomb).problems).toEqual([
      expect.objectContaining({
        code: 'rule/invalid-yaml',
        text: expect.stringMatching(/^r\.yaml:.*[Aa]lias/),
      }),
    ]);
  });
});

describe('positions in scalars of every form', () => {
  const message = 'unknown field "nmae"; did you mean "name"? [rule/unknown-field]';
  test.each([
    ['plain', rule(ON, 'if: device.‸nmae == "x"', ...DO)],
    ['double-quoted', rule(ON, `if: "device.‸nmae == 'x'"`, ...DO)],
    ['single-quoted', rule(ON, `if: 'device.‸nmae == "x"'`, ...DO)],
    ['double-quoted with escapes before', rule(ON, 'if: "\\"a\\" == device.‸nmae"', ...DO)],
    ['single-quoted with doubled quotes before', rule(ON, "if: '\"''a''\" == device.‸nmae'", ...DO)],
    ['literal block', rule(ON, 'if: |', '  device.‸nmae == "x"', ...DO)],
    ['literal block, second line', rule(ON, 'if: |', '  device.p', '    && device.‸nmae == "x"', ...DO)],
    [
      'literal block without its last line break',
      rule(ON, 'if: |-', '  device.p &&', '  device.‸nmae == "x"', ...DO),
    ],
    ['folded block', rule(ON, 'if: >-', '  device.p &&', '  device.‸nmae == "x"', ...DO)],
    ['plain over two lines', rule(ON, 'if: device.p &&', '  device.‸nmae == "x"', ...DO)],
    ['double-quoted over two lines', rule(ON, 'if: "device.p &&', "  device.‸nmae == 'x'\"", ...DO)],
    ['behind an anchor', rule(ON, 'if: &c device.‸nmae == "x"', ...DO)],
    ['behind a tag', rule(ON, 'if: !!str device.‸nmae == "x"', ...DO)],
    ['behind a comment with other letters', rule(ON, '# ü 😀', 'if: device.‸nmae == "x"', ...DO)],
  ])('%s', (_what, file) => {
    expectProblems(file, [message]);
  });

  test('a template in a literal block', () => {
    expectProblems(
      rule(ON, 'do:', '  - log:', '      message: |', '        Hello,', '        {{ ‸device.nmae }}'),
      ['unknown field "nmae" of device; did you mean "name"? [rule/unknown-field]'],
    );
  });

  test('a problem in an anchored text points into the text or at the alias, never beyond', () => {
    const file = `${rule(ON, 'if: &c device.nmae == "x"', ...DO)}  - id: b\n    ${ON}\n    if: *c\n    do: [log: { message: hi }]\n`;
    const { problems } = compile(file);
    expect(problems).toHaveLength(2);
    expect(problems[0]?.text).toContain('r.yaml:4:19: ');
    expect(problems[1]?.text).toMatch(/^r\.yaml:(4:19|9:9|9:10): /);
  });

  test('Windows line ends and a byte order mark do not change positions', () => {
    const { text } = marked(rule(ON, 'if: device.nmae == "x"', ...DO));
    const expected = `r.yaml:4:16: ${message}\n        if: device.nmae == "x"\n${' '.repeat(4 + 15)}^`;
    expect(textsOf(compile(text.replaceAll('\n', '\r\n')))).toEqual([expected]);
    expect(textsOf(compile(`\ufeff${text}`))).toEqual([expected]);
  });
});

describe('all problems in one run', () => {
  test('of one rule and of several', () => {
    expectProblems(
      [
        'rules:',
        '  - id: a',
        '    on: ‸device.enroled',
        '    if: device.‸nmae == "x"',
        '    do:',
        '      - ‸lgo: {}',
        '      - log: { message: "{{ ‸device.nmae }}" }',
        '        if: device.‸nmae == "x"',
        '  - id: ‸B',
        '    on: x',
        '    do: ‸[]',
        '  - id: c',
        '    on: x',
        '    do:',
        '      - log: { message: "Hi {{ device.name | ‸upcas }}" }',
        '',
      ].join('\n'),
      [
        /unknown event type/,
        'unknown field "nmae"; did you mean "name"? [rule/unknown-field]',
        'unknown action "lgo"; did you mean "log"? [rule/unknown-action]',
        'unknown field "nmae" of device; did you mean "name"? [rule/unknown-field]',
        'unknown field "nmae"; did you mean "name"? [rule/unknown-field]',
        /^id: expected lower-case/,
        'do: expected at least one step [rule/invalid-value]',
        'unknown filter "upcas"; did you mean "upcase"? [rule/invalid-template]',
      ],
    );
  });

  test.each<[string, string, (string | RegExp)[]]>([
    [
      'an unknown key of a rule does not hide a problem in its condition',
      rule(ON, '‸iff: x', 'if: device.‸nmae == "x"', ...DO),
      [
        'unknown key "iff"; did you mean "if"? [rule/unknown-key]',
        'unknown field "nmae"; did you mean "name"? [rule/unknown-field]',
      ],
    ],
    [
      'a step without an action does not hide a problem in the next step',
      rule(ON, 'do:', '  - ‸id: x', '  - ‸lgo: {}'),
      [/a step needs an action/, 'unknown action "lgo"; did you mean "log"? [rule/unknown-action]'],
    ],
    [
      'an unknown key of the file does not hide a problem in its rules',
      `‸rule: 1\n${rule(ON, 'if: device.‸nmae == "x"', ...DO)}`,
      [
        'unknown key "rule"; did you mean "rules"? [rule/unknown-key]',
        'unknown field "nmae"; did you mean "name"? [rule/unknown-field]',
      ],
    ],
    [
      'two misspelled fields in one template',
      rule(ON, 'do:', '  - log: { message: "{{ ‸device.nmae }} {{ ‸device.modle_name }}" }'),
      [/"nmae" of device/, /"modle_name" of device/],
    ],
  ])('%s', (_what, file, messages) => {
    expectProblems(file, messages);
  });

  test('of several files, the valid rules still compile', () => {
    const bad = rule(ON, 'if: device.nmae == "x"', ...DO);
    const { problems, rules } = compile(bad, 'rules: [\n', rule(ON, ...DO).replace('id: a', 'id: b'));
    const files = problems.map(({ file }) => file);
    expect(files).toEqual(expect.arrayContaining(['r1.yaml', 'r2.yaml']));
    expect(files).not.toContain('r3.yaml');
    expect(rules.map((compiled) => compiled.source.id)).toContain('b');
  });
});

describe('duplicate rule ids', () => {
  test('within a file', () => {
    expectProblems(`${rule(ON, ...DO)}  - id: ‸a\n    ${ON}\n    do: [log: { message: hi }]\n`, [
      'the rule id "a" is already used: r.yaml:2 [rule/duplicate-id]',
    ]);
  });

  test('across files, each problem names the first use', () => {
    const file = rule(ON, ...DO);
    const excerpt = '      - id: a\n            ^';
    expect(textsOf(compile(file, file, file))).toEqual([
      `r2.yaml:2:9: the rule id "a" is already used: r1.yaml:2 [rule/duplicate-id]\n${excerpt}`,
      `r3.yaml:2:9: the rule id "a" is already used: r1.yaml:2 [rule/duplicate-id]\n${excerpt}`,
    ]);
  });
});

describe('valid files', () => {
  test.each(['', '{}\n', '# only a comment\n', 'rules:\n', 'rules: []\n'])('%j has no rules', (text) => {
    expect(compile(text)).toMatchObject({
      rules: [],
      channels: [],
      lookups: [],
      problems: [],
      warnings: [
        expect.objectContaining({
          code: 'rule/no-rules',
          text: expect.stringMatching(/^r\.yaml:1:1: this file has no rules/),
        }),
      ],
    });
  });

  test('a complete rule', () => {
    const { rules, problems } = compile(
      rule(
        'description: All of it',
        'enabled: false',
        'on: [device.enrolled, "abm.*"]',
        'if: device.is_supervised && device.model_name.contains("MacBook")',
        'allow: [destructive]',
        'mode: dry_run',
        'on_own_actions: true',
        'accounts: [acme]',
        'do:',
        '  - run_script: { script: "Say hi" }',
        '    id: hello',
        '  - log:',
        '      message: "{{ steps.hello.job_id }} ${env:SET}"',
        '    if: steps.hello.status == "completed"',
        '    on_error: continue',
      ),
    );
    expect(problems).toEqual([]);
    expect(rules.map((compiled) => compiled.source)).toEqual([
      {
        id: 'a',
        description: 'All of it',
        enabled: false,
        on: ['device.enrolled', 'abm.*'],
        if: 'device.is_supervised && device.model_name.contains("MacBook")',
        allow: ['destructive'],
        mode: 'dry_run',
        onOwnActions: true,
        accounts: ['acme'],
        do: [
          { action: 'run_script', args: { script: 'Say hi' }, id: 'hello', onError: 'stop' },
          {
            action: 'log',
            args: { message: '{{ steps.hello.job_id }} ${env:SET}' },
            if: 'steps.hello.status == "completed"',
            onError: 'continue',
          },
        ],
      },
    ]);
  });

  test.each([
    [
      'an action that cannot be undone, when it is allowed',
      rule(ON, 'allow: [destructive]', 'do:', '  - erase: {}'),
    ],
    ['a rule without a condition', rule(ON, ...DO)],
    ['an unknown type as a pattern', rule('on: "device.enroled*"', ...DO)],
    ['every type', rule('on: "*"', ...DO)],
    ['a type that does not exist yet', rule('on: profile.installed', ...DO)],
    [
      'a step with the name of a prototype member',
      rule(
        ON,
        'do:',
        '  - log: { message: a }',
        '    id: constructor',
        '  - log: { message: "{{ steps.constructor.message }}" }',
      ),
    ],
    ['an emoji in a condition', rule(ON, 'if: device.p && device.name == "😀"', ...DO)],
    ['a number as a reference', rule(ON, 'do:', '  - assign_group: { group: 5 }')],
    ['an id that starts with a digit', rule(ON, ...DO).replace('id: a', 'id: 2fa')],
  ])('%s', (_what, file) => {
    expect(compile(file).problems).toEqual([]);
    expect(compile(file).rules).toHaveLength(1);
  });

  test('on and enabled have their defaults', () => {
    const [compiled] = compile(rule(ON, ...DO)).rules;
    expect(compiled?.source).toEqual({
      id: 'a',
      enabled: true,
      on: ['device.enrolled'],
      allow: [],
      mode: 'live',
      onOwnActions: false,
      do: [{ action: 'log', args: { message: 'hi' }, onError: 'stop' }],
    });
    expect(compiled?.condition).toBeUndefined();
  });
});

describe('the facts that a rule reads', () => {
  function facts(file: string): { condition: string[]; steps: string[]; each: string[][] } {
    const { rules, problems } = compile(file);
    expect(problems).toEqual([]);
    const [compiled] = rules;
    return {
      condition: [...(compiled?.conditionFacts ?? [])].sort(),
      steps: [...(compiled?.stepFacts ?? [])].sort(),
      each: (compiled?.steps ?? []).map((step) => [...step.facts].sort()),
    };
  }

  test('none', () => {
    expect(
      facts(rule(ON, 'if: event.type == "x"', 'do:', '  - log: { message: "{{ event.type }}" }')),
    ).toEqual({
      condition: [],
      steps: [],
      each: [[]],
    });
  });

  test('the facts of the condition, apart from those of the steps', () => {
    expect(
      facts(
        rule(
          ON,
          'if: device.p && apps.exists(group, group.name == "x")',
          'do:',
          '  - assign_group: { group: "{{ attributes.room }}" }',
          '    if: group.name != "x"',
          '  - run_script: { script: 1 }',
          '  - log: { message: "{% for a in apps %}{{ a.name }}{% endfor %}" }',
        ),
      ),
    ).toEqual({
      condition: ['apps', 'device'],
      steps: ['apps', 'attributes', 'device', 'group'],
      each: [['attributes', 'group'], ['device'], ['apps']],
    });
  });

  test('facts deep within arguments, and none for a plain text that looks like one', () => {
    expect(
      facts(
        rule(
          ON,
          'do:',
          '  - notify: { to: ["device.name", "{{ group.name }}"], fields: { a: ["{{ device.id }}"] } }',
        ),
      ).steps,
    ).toEqual(['device', 'group']);
  });

  test('facts in parts of a condition that may never be evaluated', () => {
    expect(facts(rule(ON, 'if: "true || apps.size() > 1"', ...DO)).condition).toEqual(['apps']);
  });
});
