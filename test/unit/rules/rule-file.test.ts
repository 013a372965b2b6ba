import { describe, expect, test } from '@jest/globals';
import { compileRuleFiles } from '../../../src/rules/rule-file.js';
import type { CompiledRules } from '../../../src/rules/rule-file.js';
import { VOCABULARY } from './test-vocabulary.js';

/** Stands in a file before the character where a problem is expected. */
const MARK = '‸';

interface Marked {
  readonly text: string;
  /** The place of each mark: `line:column`, and the line with a caret below the place. */
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

/** Each message is expected at the mark of the same position; a regular expression stands for a message of a library. */
function expectProblems(file: string, messages: readonly (string | RegExp)[]): void {
  const { text, places } = marked(file);
  const problems = [...compile(text).problems].sort(byPlace);
  expect(problems).toHaveLength(messages.length);
  expect(places).toHaveLength(messages.length);
  for (const [index, message] of messages.entries()) {
    const problem = problems[index] ?? '';
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

function byPlace(a: string, b: string): number {
  const place = (problem: string): number => {
    const [, line, column] = /^[^:]+:(\d+):(\d+):/.exec(problem) ?? [];
    return Number(line) * 10_000 + Number(column);
  };
  return place(a) - place(b);
}

/** A file of one rule with these lines below its id. */
function rule(...lines: string[]): string {
  return ['rules:', '  - id: a', ...lines.map((line) => `    ${line}`), ''].join('\n');
}

const ON = 'on: device.enrolled';
const DO = ['do:', '  - log: { message: hi }'];

describe('broken files: the message, its place and the line', () => {
  test.each<[string, string, (string | RegExp)[]]>([
    // The file
    ['an unknown key', '‸ruels: []\nrules: []\n', ['unknown key "ruels"; did you mean "rules"?']],
    [
      'rules that are a map',
      'rules:\n  ‸a: {}\n',
      ['rules: expected a list of rules, each beginning with "- id:"'],
    ],
    [
      'rules that are a text',
      'rules: ‸hello\n',
      ['rules: expected a list of rules, each beginning with "- id:"'],
    ],
    ['a list instead of a file', '‸- id: a\n', [/expected "rules:" and a list of rules/]],
    ['a text instead of a file', '‸hello\n', [/expected "rules:" and a list of rules/]],
    ['a text instead of a rule', 'rules:\n  - ‸hello\n', [/expected a rule, with id, on and do/]],
    // YAML
    [
      'a YAML mistake',
      rule(ON, 'if: ‸a: b', ...DO),
      ['a text with ": " in it needs quotes: \'a: b\'; or the next line is indented too far'],
    ],
    ['a tab', 'rules:\n‸\t- id: a\n', ['tabs are not allowed as indentation: use spaces']],
    ['a duplicate key', rule(ON, '‸on: device.unenrolled', ...DO), ['the key "on" stands here twice']],
    ['two documents', 'rules: []\n‸---\nrules: []\n', ['a file is one document: remove the "---"']],
    ['a star without quotes', rule('on: ‸*', ...DO), ['a text that begins with * needs quotes: "*"']],
    [
      'a pattern without quotes',
      rule('on: ‸*.enrolled', ...DO),
      [/a text that begins with \* needs quotes: "\*\.enrolled"/],
    ],
    // The rule
    ['a misspelt key', rule(ON, '‸iff: "true"', ...DO), ['unknown key "iff"; did you mean "if"?']],
    [
      'an id in capitals',
      `rules:\n  - id: ‸Onboard\n    ${ON}\n    do: [log: { message: hi }]\n`,
      [
        'id: expected lower-case letters, digits, - and _ (at most 64), starting with a letter or digit, such as "onboard"',
      ],
    ],
    [
      'no id',
      `rules:\n  - ‸on: x\n    do: [log: { message: hi }]\n`,
      ['id: expected a name for the rule, such as "onboard-laptops"'],
    ],
    [
      'no event type',
      `rules:\n  - ‸id: a\n    do: [log: { message: hi }]\n`,
      ['on: expected an event type such as "device.enrolled", a list of them, or a schedule'],
    ],
    ['an empty list of event types', rule('on: ‸[]', ...DO), ['on: expected at least one event type']],
    [
      'a misspelt event type',
      rule('on: ‸device.enroled', ...DO),
      [
        'unknown event type "device.enroled"; did you mean "device.enrolled"? (for a new type with a similar name write a pattern: "device.enroled*")',
      ],
    ],
    [
      'a misspelt event type in a list',
      rule('on: [device.enrolled, ‸device.unenroled]', ...DO),
      [
        'unknown event type "device.unenroled"; did you mean "device.unenrolled"? (for a new type with a similar name write a pattern: "device.unenroled*")',
      ],
    ],
    [
      'a misspelt event type in a list of one',
      rule('on: [‸device.enroled]', ...DO),
      [
        'unknown event type "device.enroled"; did you mean "device.enrolled"? (for a new type with a similar name write a pattern: "device.enroled*")',
      ],
    ],
    ['enabled: yes', rule(ON, 'enabled: ‸yes', ...DO), ['enabled: expected true or false']],
    ['a description that is a list', rule(ON, 'description: ‸[a]', ...DO), ['description: expected a text']],
    ['no steps', `rules:\n  - ‸id: a\n    ${ON}\n`, ['do: expected a list of steps']],
    ['an empty list of steps', rule(ON, 'do: ‸[]'), ['do: expected at least one step']],
    ['steps that are a map', rule(ON, 'do:', '  ‸log: { message: hi }'), ['do: expected a list of steps']],
    // Steps
    [
      'a step without an action',
      rule(ON, 'do:', '  - ‸id: x'),
      ['a step needs an action, such as "assign_device_group: { group: Laptops }"'],
    ],
    [
      'two actions in a step',
      rule(ON, 'do:', '  - log: { message: hi }', '    ‸run_script: { script: 1 }'),
      ['a step has one action, this one has "log" and "run_script"'],
    ],
    [
      'a misspelt on_error',
      rule(ON, 'do:', '  - log: { message: hi }', '    ‸on_eror: stop'),
      ['unknown key "on_eror" beside log; did you mean "on_error"?'],
    ],
    [
      'a bad on_error',
      rule(ON, 'do:', '  - log: { message: hi }', '    on_error: ‸ignore'),
      ['on_error: expected "stop" or "continue"'],
    ],
    [
      'a bad step id',
      rule(ON, 'do:', '  - log: { message: hi }', '    id: ‸My-Id'),
      ['id: expected lower-case letters, digits and _ (at most 32), starting with a letter, such as "my_id"'],
    ],
    [
      'two steps of one name',
      rule(ON, 'do:', '  - log: { message: a }', '    id: x', '  - log: { message: b }', '    id: ‸x'),
      ['two steps are called "x"'],
    ],
    ['an unknown action', rule(ON, 'do:', '  - ‸lgo: {}'), ['unknown action "lgo"; did you mean "log"?']],
    [
      'something that cannot be undone',
      rule(ON, 'do:', '  - ‸erase: {}'),
      ['erase cannot be undone: add "allow: [destructive]" to the rule if that is meant'],
    ],
    [
      'another thing allowed',
      rule(ON, 'allow: [‸disruptive]', ...DO),
      ['expected [destructive]: it is for all that cannot be undone'],
    ],
    ['a mode that there is not', rule(ON, 'mode: ‸dry', ...DO), ['mode: expected "live" or "dry_run"']],
    [
      'an account that there is not',
      rule(ON, 'accounts: [default, ‸acm]', ...DO),
      ['there is no account "acm"; did you mean "acme"?'],
    ],
    ['an unheard-of action', rule(ON, 'do:', '  - ‸wipe_it_all: {}'), ['unknown action "wipe_it_all"']],
    [
      'an action called constructor',
      rule(ON, 'do:', '  - ‸constructor: {}'),
      ['unknown action "constructor"'],
    ],
    ['an action called toString', rule(ON, 'do:', '  - ‸toString: {}'), ['unknown action "toString"']],
    [
      'arguments that are a text',
      rule(ON, 'do:', '  - log: ‸hi'),
      ['log: expected its arguments, such as { name: value }'],
    ],
    [
      'arguments that are a list',
      rule(ON, 'do:', '  - log: ‸[hi]'),
      ['log: expected its arguments, such as { name: value }'],
    ],
    [
      'an unknown argument',
      rule(ON, 'do:', '  - log: { message: hi, ‸levle: info }'),
      ['unknown argument "levle"; did you mean "level"?'],
    ],
    [
      'an argument of a wrong type',
      rule(ON, 'do:', '  - assign_group:', '      group: ‸[Laptops]'),
      ['group: expected a name or an id'],
    ],
    [
      'an argument that is none of the choices',
      rule(ON, 'do:', '  - log: { message: hi, level: ‸loud }'),
      ['level: expected info or warn'],
    ],
    ['a missing argument', rule(ON, 'do:', '  - assign_group: ‸{}'), ['group: expected a name or an id']],
    [
      'a wrong argument in a list',
      rule(ON, 'do:', '  - notify: { to: [a, ‸5] }'),
      ['to.1: expected a text; put it in quotes: "5"'],
    ],
    [
      'an unset environment variable',
      rule(ON, 'do:', '  - log: { message: "‸${env:NOPE}" }'),
      ['the environment variable NOPE is not set: set it, or write it into .env'],
    ],
    [
      'an unset environment variable, twice in a text, is told once',
      rule(ON, 'do:', '  - log: { message: "‸${env:NOPE} ${env:NOPE}" }'),
      ['the environment variable NOPE is not set: set it, or write it into .env'],
    ],
    // Conditions
    [
      'a misspelt field in `if`',
      rule(ON, 'if: device.‸nmae == "x"', ...DO),
      ['unknown field "nmae"; did you mean "name"?'],
    ],
    [
      'a misspelt field in the `if` of a step',
      rule(ON, 'do:', '  - log: { message: hi }', '    if: device.‸nmae == "x"'),
      ['unknown field "nmae"; did you mean "name"?'],
    ],
    [
      'an `if` that is not true or false',
      rule(ON, 'if: ‸device.name', ...DO),
      ['a condition must be true or false; this one is a text: compare it with something'],
    ],
    ['an `if` that is a number', rule(ON, 'if: ‸5', ...DO), ['if: expected an expression']],
    [
      'an `if` that is a YAML truth',
      rule(ON, 'if: ‸true', ...DO),
      ['if: expected an expression; put it in quotes: "true"'],
    ],
    ['an `if` with nothing behind it', rule(ON, 'if: "‸"', ...DO), ['if: expected an expression']],
    [
      'the result of a step in the `if` of the rule',
      rule(ON, 'if: ‸steps.a.status == "x"', ...DO),
      ['unknown name "steps": what steps leave behind is known to later steps only'],
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
      ['no earlier step is called "later"'],
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
      ['no earlier step is called "later"'],
    ],
    [
      'a step’s own result',
      rule(ON, 'do:', '  - log: { message: "{{ ‸steps.me.status }}" }', '    id: me'),
      ['no earlier step is called "me"'],
    ],
    [
      'an output that the action has not',
      rule(
        ON,
        'do:',
        '  - log: { message: a }',
        '    id: one',
        '  - log: { message: "{{ ‸steps.one.mesage }}" }',
      ),
      ['unknown field "mesage" of steps.one; did you mean "message"?'],
    ],
    // Templates
    [
      'a misspelt field in a template',
      rule(ON, 'do:', '  - log: { message: "{{ ‸device.nmae }}" }'),
      ['unknown field "nmae" of device; did you mean "name"?'],
    ],
    [
      'a misspelt field in a template, the same word before it',
      rule(ON, 'do:', '  - log:', '      message: A device {{ ‸device.nmae }}'),
      ['unknown field "nmae" of device; did you mean "name"?'],
    ],
    [
      'a misspelt field of the event in a template',
      rule(ON, 'do:', '  - log: { message: "{{ ‸event.tpye }}" }'),
      ['unknown field "tpye" of event; did you mean "type"?'],
    ],
    [
      'a misspelt filter',
      rule(ON, 'do:', '  - log: { message: "Hi {{ device.name | ‸upcas }}" }'),
      ['unknown filter "upcas"; did you mean "upcase"?'],
    ],
    [
      'an open template',
      rule(ON, 'do:', '  - log: { message: "‸{{ device.name" }'),
      ['"{{" is not closed: "}}" is missing'],
    ],
    [
      'a template within a list within arguments',
      rule(ON, 'do:', '  - notify:', '      to: [a, "{{ ‸device.nmae }}"]'),
      ['unknown field "nmae" of device; did you mean "name"?'],
    ],
    [
      'a template deep within arguments',
      rule(ON, 'do:', '  - notify:', '      to: []', '      fields: { a: { b: "{{ ‸device.nmae }}" } }'),
      ['unknown field "nmae" of device; did you mean "name"?'],
    ],
  ])('%s', (_what, file, messages) => {
    expectProblems(file, messages);
  });

  test('a template that includes a file is a problem with its place', () => {
    const { problems } = compile(rule(ON, 'do:', `  - log: { message: "{% include 'x' %}" }`));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^r\.yaml:5:\d+: /);
  });

  test.each(['log', '[log]', ''])('a step that is no map (%j) is not told as "0: …"', (step) => {
    const [problem] = compile(rule(ON, 'do:', `  - ${step}`)).problems;
    expect(problem).toMatch(/^r\.yaml:5:[89]: (?!0:)/);
  });

  test('an alias bomb is a problem of the file, not the end of the process', () => {
    const ten = (name: string): string => Array(10).fill(`*${name}`).join(', ');
    const bomb = `a: &a [${Array(10).fill('x').join(', ')}]\nb: &b [${ten('a')}]\nc: &c [${ten('b')}]\nrules: [${ten('c')}]\n`;
    expect(compile(bomb).problems).toEqual([expect.stringMatching(/^r\.yaml:.*[Aa]lias/)]);
  });
});

describe('places within scalars of every form', () => {
  const message = 'unknown field "nmae"; did you mean "name"?';
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
      ['unknown field "nmae" of device; did you mean "name"?'],
    );
  });

  test('a problem in an anchored text points into the text, or at the alias, but never beyond it', () => {
    const file = `${rule(ON, 'if: &c device.nmae == "x"', ...DO)}  - id: b\n    ${ON}\n    if: *c\n    do: [log: { message: hi }]\n`;
    const { problems } = compile(file);
    expect(problems).toHaveLength(2);
    expect(problems[0]).toContain('r.yaml:4:19: ');
    expect(problems[1]).toMatch(/^r\.yaml:(4:19|9:9|9:10): /);
  });

  test('Windows line ends and a byte order mark change no place', () => {
    const { text } = marked(rule(ON, 'if: device.nmae == "x"', ...DO));
    const expected = `r.yaml:4:16: ${message}\n        if: device.nmae == "x"\n${' '.repeat(4 + 15)}^`;
    expect(compile(text.replaceAll('\n', '\r\n')).problems).toEqual([expected]);
    expect(compile(`\ufeff${text}`).problems).toEqual([expected]);
  });
});

describe('all problems at once', () => {
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
        'unknown field "nmae"; did you mean "name"?',
        'unknown action "lgo"; did you mean "log"?',
        'unknown field "nmae" of device; did you mean "name"?',
        'unknown field "nmae"; did you mean "name"?',
        /^id: expected lower-case/,
        'do: expected at least one step',
        'unknown filter "upcas"; did you mean "upcase"?',
      ],
    );
  });

  test.each<[string, string, (string | RegExp)[]]>([
    [
      'an unknown key of a rule does not hide what is wrong in its condition',
      rule(ON, '‸iff: x', 'if: device.‸nmae == "x"', ...DO),
      ['unknown key "iff"; did you mean "if"?', 'unknown field "nmae"; did you mean "name"?'],
    ],
    [
      'a step without an action does not hide what is wrong in the next step',
      rule(ON, 'do:', '  - ‸id: x', '  - ‸lgo: {}'),
      [/a step needs an action/, 'unknown action "lgo"; did you mean "log"?'],
    ],
    [
      'an unknown key of the file does not hide what is wrong in its rules',
      `‸rule: 1\n${rule(ON, 'if: device.‸nmae == "x"', ...DO)}`,
      ['unknown key "rule"; did you mean "rules"?', 'unknown field "nmae"; did you mean "name"?'],
    ],
    [
      'two misspelt fields in one template',
      rule(ON, 'do:', '  - log: { message: "{{ ‸device.nmae }} {{ ‸device.modle_name }}" }'),
      [/"nmae" of device/, /"modle_name" of device/],
    ],
  ])('%s', (_what, file, messages) => {
    expectProblems(file, messages);
  });

  test('of several files, the good rules still come back', () => {
    const bad = rule(ON, 'if: device.nmae == "x"', ...DO);
    const { problems, rules } = compile(bad, 'rules: [\n', rule(ON, ...DO).replace('id: a', 'id: b'));
    expect(problems.map((problem) => problem.split(':')[0])).toEqual(
      expect.arrayContaining(['r1.yaml', 'r2.yaml']),
    );
    expect(problems.some((problem) => problem.startsWith('r3.yaml'))).toBe(false);
    expect(rules.map((compiled) => compiled.source.id)).toContain('b');
  });
});

describe('duplicate rule ids', () => {
  test('within a file', () => {
    expectProblems(`${rule(ON, ...DO)}  - id: ‸a\n    ${ON}\n    do: [log: { message: hi }]\n`, [
      'the rule id "a" is already used: r.yaml:2',
    ]);
  });

  test('across files, each repeat naming the first', () => {
    const file = rule(ON, ...DO);
    const excerpt = '      - id: a\n            ^';
    expect(compile(file, file, file).problems).toEqual([
      `r2.yaml:2:9: the rule id "a" is already used: r1.yaml:2\n${excerpt}`,
      `r3.yaml:2:9: the rule id "a" is already used: r1.yaml:2\n${excerpt}`,
    ]);
  });
});

describe('good files', () => {
  test.each(['', '{}\n', '# only a comment\n', 'rules:\n', 'rules: []\n'])('%j has no rules', (text) => {
    expect(compile(text)).toEqual({
      rules: [],
      channels: [],
      problems: [],
      warnings: [expect.stringMatching(/^r\.yaml:1:1: there are no rules in this file/)],
    });
  });

  test('a rule in full', () => {
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
    ['what cannot be undone, if it is meant', rule(ON, 'allow: [destructive]', 'do:', '  - erase: {}')],
    ['a rule without a condition', rule(ON, ...DO)],
    ['an unknown type as a pattern', rule('on: "device.enroled*"', ...DO)],
    ['every type', rule('on: "*"', ...DO)],
    ['a type of the future', rule('on: profile.installed', ...DO)],
    [
      'a step called like a member of every object',
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
    ['the id of a numeral', rule(ON, ...DO).replace('id: a', 'id: 2fa')],
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

describe('which facts a rule needs', () => {
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

  test('those of the condition apart from those of the steps', () => {
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

  test('those named only deep within arguments, and none for a plain text that looks like one', () => {
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

  test('those in the parts of a condition that may never be looked at', () => {
    expect(facts(rule(ON, 'if: "true || apps.size() > 1"', ...DO)).condition).toEqual(['apps']);
  });
});
