import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { serviceVocabulary } from '../../../src/actions/service-vocabulary.js';
import { conditionValues, withNestedFacts } from '../../../src/enrichment/rule-values.js';
import { compileRuleFiles } from '../../../src/rules/compile-rule-files.js';
import { LookupTable } from '../../../src/rules/lookups/lookup-table.js';
import { templateKey } from '../../../src/rules/model/rule.js';
import type { Rule } from '../../../src/rules/model/rule.js';
import type { LookupRecord } from '../../../src/rules/model/lookup.js';

const STAFF = `serial_number,department,Asset Tag,owner
C02A,Sales,000123,ada@example.org
C02B,"Design, Print",26.10,
`;

/** Compiles a rule whose condition reads the lookup `staff` from a file. */
function compile(
  condition: string,
  { csv = STAFF, lookup = '{ file: staff.csv, key: serial_number }', message = 'x' } = {},
) {
  const text = `
lookups:
  staff: ${lookup}
rules:
  - id: one
    on: device.enrolled
    if: ${JSON.stringify(condition)}
    do:
      - log: ${JSON.stringify(message)}
`;
  const file = /file: ([^ ,}]+)/.exec(lookup)?.[1] ?? 'staff.csv';
  const data = [{ file, name: `rules/${file}`, content: { text: csv } }];
  return compileRuleFiles([{ name: 'rules/a.yaml', text, data }], serviceVocabulary({}, ['default']));
}

function tableOf({ lookups }: ReturnType<typeof compile>): { table: LookupTable; used: string[] } {
  const [source] = lookups;
  if (source?.kind !== 'file') throw new Error('the lookup has problems');
  const used: string[] = [];
  const onLookup = (key: string, _row: LookupRecord | undefined, column = ''): void =>
    void used.push(`${key}:${column}`);
  return { table: new LookupTable(source.data, onLookup), used };
}

function ruleOf({ rules, problems }: ReturnType<typeof compile>): Rule {
  expect(problems).toEqual([]);
  const [rule] = rules;
  if (rule === undefined) throw new Error('no rule');
  return rule;
}

function evaluate(condition: string, serial: string | null, options = {}) {
  const compiled = compile(condition, options);
  const rule = ruleOf(compiled);
  const { table } = tableOf(compiled);
  const values = withNestedFacts({ device: { serial_number: serial, id: 7 }, 'lookup.staff': table });
  return rule.condition?.evaluate(conditionValues(values));
}

const DEPARTMENT = 'lookup.staff[device.serial_number].department == "Sales"';

describe('a condition on a lookup', () => {
  test('reads the row of a key', () => {
    expect(evaluate(DEPARTMENT, 'C02A')).toEqual({ result: 'true' });
    expect(evaluate(DEPARTMENT, 'C02B')).toEqual({
      result: 'false',
      reason: `${DEPARTMENT} is not true: lookup.staff[device.serial_number].department is "Design, Print", device.serial_number is "C02B"`,
    });
  });

  test('a key that the table does not have is unknown, and == null asks', () => {
    expect(evaluate(DEPARTMENT, 'C02X')).toMatchObject({ result: 'false', unknown: true });
    expect(evaluate('lookup.staff[device.serial_number].department != "Sales"', 'C02X')).toMatchObject({
      result: 'false',
      unknown: true,
    });
    expect(evaluate('lookup.staff[device.serial_number] == null', 'C02X')).toEqual({ result: 'true' });
    expect(evaluate('lookup.staff[device.serial_number] != null', 'C02A')).toEqual({ result: 'true' });
    expect(evaluate('lookup.staff[device.serial_number].department == null', 'C02X')).toEqual({
      result: 'true',
    });
    expect(evaluate('lookup.staff[device.serial_number].owner == null', 'C02B')).toEqual({ result: 'true' });
  });

  test('a null key leaves the row unknown, whatever is asked', () => {
    for (const condition of [
      DEPARTMENT,
      'lookup.staff[device.serial_number] == null',
      'device.serial_number in lookup.staff',
      '!(device.serial_number in lookup.staff)',
    ])
      expect(evaluate(condition, null)).toMatchObject({ result: 'false', unknown: true });
  });

  test('in tests whether the table has a key', () => {
    expect(evaluate('device.serial_number in lookup.staff', 'C02A')).toEqual({ result: 'true' });
    expect(evaluate('!(device.serial_number in lookup.staff)', 'C02X')).toEqual({ result: 'true' });
    expect(evaluate('!(device.id in lookup.staff)', 'C02X')).toEqual({ result: 'true' });
  });

  test('values are texts as written; columns with spaces stand in brackets', () => {
    expect(evaluate('lookup.staff[device.serial_number]["Asset Tag"] == "000123"', 'C02A')).toEqual({
      result: 'true',
    });
    expect(evaluate('lookup.staff[device.serial_number]["Asset Tag"] == "26.10"', 'C02B')).toEqual({
      result: 'true',
    });
  });

  test('keys differ neither by case nor by spaces around, unless case_sensitive says so', () => {
    expect(evaluate(DEPARTMENT, ' c02a ')).toEqual({ result: 'true' });
    const lookup = '{ file: staff.csv, key: serial_number, case_sensitive: true }';
    expect(evaluate(DEPARTMENT, 'c02a', { lookup })).toMatchObject({ result: 'false', unknown: true });
  });

  test('all rows can be searched', () => {
    const condition = 'lookup.staff.exists(s, lookup.staff[s].owner == "ada@example.org")';
    expect(evaluate(condition, 'C02A')).toEqual({ result: 'true' });
  });

  test('a key that is a record fails visibly', () => {
    expect(evaluate('lookup.staff[device].department == "x"', 'C02A')).toMatchObject({ result: 'error' });
  });
});

describe('the trace', () => {
  test('says which row was missing', () => {
    expect(evaluate(DEPARTMENT, 'C02X')).toMatchObject({
      reason: `${DEPARTMENT} is not true: lookup.staff[device.serial_number] is null, device.serial_number is "C02X"`,
    });
  });

  test('a condition reports the keys and columns that it reads, and nothing else of the table', () => {
    const compiled = compile(DEPARTMENT);
    const { table, used } = tableOf(compiled);
    const values = withNestedFacts({ device: { serial_number: 'C02A' }, 'lookup.staff': table });
    expect(ruleOf(compiled).condition?.evaluate(conditionValues(values))).toEqual({ result: 'true' });
    expect([...new Set(used)]).toEqual(['C02A:', 'C02A:department']);
    expect(JSON.stringify(table)).toBe('{"rows":2}');
  });
});

describe('a template on a lookup', () => {
  const render = (message: string, serial: string | null, csv = STAFF): string | undefined => {
    const compiled = compile('true', { message, csv });
    const [step] = ruleOf(compiled).steps;
    const { table } = tableOf(compiled);
    const values = withNestedFacts({ device: { serial_number: serial, id: 7 }, 'lookup.staff': table });
    expect(step?.facts).toContain('lookup.staff');
    return step?.templates.get(templateKey('text', message))?.render(values, {});
  };

  test('reads the row of a key', () => {
    expect(render('{{ lookup.staff[device.serial_number].department }}', 'C02B')).toBe('Design, Print');
    expect(render('{{ lookup.staff[device.serial_number]["Asset Tag"] }}', 'c02a')).toBe('000123');
    expect(render('{% assign row = lookup.staff[device.serial_number] %}{{ row.owner }}', 'C02A')).toBe(
      'ada@example.org',
    );
  });

  test.each(['constructor', 'toString', 'size', 'first', '__proto__', 'hasOwnProperty'])(
    'the key %s, which a person can give a device, is a key like any other',
    (key) => {
      const template = '{{ lookup.staff[device.serial_number].department | default: "-" }}';
      expect(render(template, key)).toBe('-');
      const csv = `serial_number,department\n${key},Sales\n`;
      expect(render(template, key, csv)).toBe('Sales');
      expect(evaluate(DEPARTMENT, key)).toMatchObject({ unknown: true });
      expect(evaluate(DEPARTMENT, key, { csv })).toEqual({ result: 'true' });
    },
  );

  test('a whole table or row cannot be printed', () => {
    expect(() => render('{{ lookup.staff[device.serial_number] }}', 'C02A')).toThrow(
      'lookup.staff[…] is a row: name a column after it',
    );
    expect(() => render('{{ lookup.staff }}', 'C02A')).toThrow('lookup.staff is a table: name a key');
  });

  test('a row, a value or a key that is not there is empty, and default fills it', () => {
    expect(render('{{ lookup.staff[device.serial_number].department }}', 'C02X')).toBe('');
    expect(render('{{ lookup.staff[device.serial_number].owner | default: "-" }}', 'C02B')).toBe('-');
    expect(render('{{ lookup.staff[device.serial_number].owner | default: "-" }}', null)).toBe('-');
    expect(render('{% if lookup.staff[device.serial_number] %}yes{% else %}no{% endif %}', 'C02X')).toBe(
      'no',
    );
  });
});

describe('problems with a lookup', () => {
  const problemsOf = (condition: string, options = {}): string[] =>
    compile(condition, options).problems.map(({ text }) => text.split('\n')[0] ?? '');

  test.each([
    [
      'lookup.staff[device.serial_number].departmnt == "x"',
      'lookup.staff has no column "departmnt"; did you mean "department"? [rule/unknown-field]',
    ],
    [
      'lookup.staff[lookup.staff["x"].owner].departmnt == "x"',
      'lookup.staff has no column "departmnt"; did you mean "department"? [rule/unknown-field]',
    ],
    [
      'lookup.staff[device.serial_number].asset_tag == "x"',
      'lookup.staff has no column "asset_tag": write lookup.staff[…]["Asset Tag"] [rule/unknown-field]',
    ],
    [
      'lookup.stuff[device.serial_number].department == "x"',
      'there is no lookup "stuff"; did you mean "staff"? [rule/unknown-name]',
    ],
    [
      'lookup["staff"]["x"].department == "x"',
      'name the lookup after a dot: lookup.staff[device.serial_number] [rule/unknown-name]',
    ],
  ])('%s', (condition, message) => {
    const [problem = ''] = problemsOf(condition);
    expect(problem.replace(/^rules\/a\.yaml:\d+:\d+: /, '')).toBe(message);
  });

  test('a wrong column stands at its position', () => {
    expect(problemsOf('lookup.staff[device.serial_number].departmnt == "x"')[0]).toMatch(
      /^rules\/a\.yaml:7:4\d: /,
    );
  });

  test.each([
    [
      '{{ lookup.staff[device.serial_number].departmnt }}',
      'lookup.staff has no column "departmnt"; did you mean "department"?',
    ],
    [
      '{{ lookup.stuff[device.serial_number].department }}',
      'there is no lookup "stuff"; did you mean "staff"?',
    ],
  ])('in the template %s', (message, problem) => {
    expect(problemsOf('true', { message })[0]).toContain(problem);
  });

  test('the name lookup without any lookups', () => {
    const text =
      'rules: [{ id: a, on: device.enrolled, if: \'lookup.staff["x"].y == "z"\', do: [{ log: hi }] }]';
    const { problems } = compileRuleFiles([{ name: 'r.yaml', text }], serviceVocabulary({}, ['default']));
    expect(problems[0]?.message).toBe('unknown name "lookup": no rule file defines "lookups:"');
  });

  test.each<[string, object, string]>([
    [
      'a key column that the file does not have',
      { lookup: '{ file: staff.csv, key: serial }' },
      'rules/a.yaml:3:34: staff.csv has no column "serial" (columns: serial_number, department, Asset Tag, owner) [rule/unknown-field]',
    ],
    [
      'no key',
      { lookup: '{ file: staff.csv }' },
      'rules/a.yaml:3:10: missing key "key": expected the name of the column with the keys, such as serial_number [rule/missing-key]',
    ],
    [
      'an unknown key',
      { lookup: '{ file: staff.csv, key: serial_number, delimiter: ";" }' },
      'unknown key "delimiter"',
    ],
    [
      'a file of another kind',
      { lookup: '{ file: staff.xlsx, key: serial_number }' },
      'file: expected a .csv, .yaml or .json file',
    ],
    [
      'a key on two lines',
      { csv: 'serial_number,a\nX,1\nY,2\nx,3\n' },
      'rules/staff.csv:4:1: the serial_number "x" is already on line 2: keep one of the rows [lookup/invalid-data]',
    ],
    [
      'a row with too many values',
      { csv: 'serial_number,a\nX,1\nY,Design, Print\n' },
      'rules/staff.csv:3:1: this row has 3 values, the first line has 2 values: a text that contains "," needs quotes',
    ],
    ['an open quote', { csv: 'serial_number,a\nX,"1\n' }, 'a quote is not closed before the end of the file'],
    [
      'two columns of the same name',
      { csv: 'serial_number,a,a\nX,1,2\n' },
      'rules/staff.csv:1:1: two columns have the name "a"',
    ],
    ['an empty file', { csv: '' }, 'rules/staff.csv:1:1: this file is empty'],
    ['an insecure address', { lookup: '{ url: "ftp://x" }' }, 'url: expected an http(s) address'],
    [
      'too frequent requests',
      { lookup: '{ url: "https://x.example.org", refresh: 1s }' },
      'refresh: expected at least 10s',
    ],
  ])('%s', (_name, options, message) => {
    expect(problemsOf('true', options).join('\n')).toContain(message);
  });

  test('a row without a key is left out with a warning', () => {
    const { problems, warnings } = compile('true', { csv: 'serial_number,a\nX,1\n ,2\n,\n' });
    expect(problems).toEqual([]);
    expect(warnings.map(({ text }) => text)).toEqual([
      'rules/staff.csv:3:1: this row has no serial_number: it is left out [lookup/invalid-data]',
    ]);
  });
});

describe('files as people have them', () => {
  const rowsOf = (csv: string, lookup?: string) => {
    const compiled = compile('true', { csv, ...(lookup && { lookup }) });
    expect(compiled.problems).toEqual([]);
    const [source] = compiled.lookups;
    return source?.kind === 'file' ? [...source.data.rows.values()].map(({ values }) => values) : undefined;
  };

  test.each([
    [
      'Excel in Europe: semicolons, CRLF',
      'serial_number;name\r\nX;"Müller; Jo"\r\n',
      [{ serial_number: 'X', name: 'Müller; Jo' }],
    ],
    ['tabs', 'serial_number\tname\nX\tA, B\n', [{ serial_number: 'X', name: 'A, B' }]],
    ['the line sep=;', 'sep=;\nserial_number;name\nX;Y\n', [{ serial_number: 'X', name: 'Y' }]],
    [
      'a value of several lines, doubled quotes',
      'serial_number,name\nX,"a ""b""\nc"\n',
      [{ serial_number: 'X', name: 'a "b"\nc' }],
    ],
    [
      'empty lines and lines of separators',
      'serial_number,name\n\nX,Y\n,\n\n',
      [{ serial_number: 'X', name: 'Y' }],
    ],
    [
      'numbers and dates keep their form',
      'serial_number,v\n000123,26.10\n0x1F,2026-01-31\n',
      [
        { serial_number: '000123', v: '26.10' },
        { serial_number: '0x1F', v: '2026-01-31' },
      ],
    ],
  ])('%s', (_name, csv, rows) => {
    expect(rowsOf(csv)).toEqual(rows);
  });

  test('a YAML alias is what it stands for; a merge is refused, because it would be a column called "<<"', () => {
    const yaml = '- &a { serial_number: X, owner: &o Ada }\n- { serial_number: Y, owner: *o }\n';
    expect(rowsOf(yaml, '{ file: staff.yaml, key: serial_number }')).toEqual([
      { serial_number: 'X', owner: 'Ada' },
      { serial_number: 'Y', owner: 'Ada' },
    ]);
    const lookup = '{ file: staff.yaml, key: serial_number }';
    const { problems } = compile('true', { csv: `${yaml}- { <<: *a, serial_number: Z }\n`, lookup });
    expect(problems.map(({ text }) => text)).toEqual([
      'rules/staff.yaml:3:5: "<<" merges nothing here: write the values into each record [lookup/invalid-data]',
    ]);
  });

  test('JSON: a record by key with a key twice, and the lines of keys that are numbers', () => {
    const problemsOf = (csv: string): string[] =>
      compile('true', { csv, lookup: '{ file: staff.json }' }).problems.map(({ text }) => text);
    expect(
      problemsOf('{\n"X": { "owner": "Ada", "x": { "X": 1 } },\n"Y": {},\n"X": { "owner": "Bob" }\n}'),
    ).toEqual([
      'rules/staff.json:4:1: the key "X" occurs more than once: keep one of the records [lookup/invalid-data]',
    ]);
    expect(problemsOf('{\n"10": 7,\n"2": { "a": "x" }\n}')).toEqual([
      'rules/staff.json:2:1: expected a record with names and values [lookup/invalid-data]',
    ]);
  });

  test('a JSON number that is no number any more is refused', () => {
    const lookup = '{ file: staff.json, key: serial_number }';
    const { problems } = compile('true', { csv: '[{"serial_number": "X", "n": 1e400}]', lookup });
    expect(problems[0]?.text).toContain('put it in quotes');
  });

  test('YAML: numbers that are more than numbers stay texts', () => {
    const yaml =
      '- { serial_number: X, tag: 000123, age: 3, on: true }\n- { serial_number: Y, tag: 5, age: 4, on: }\n';
    expect(rowsOf(yaml, '{ file: staff.yaml, key: serial_number }')).toEqual([
      { serial_number: 'X', tag: '000123', age: 3, on: true },
      { serial_number: 'Y', tag: '5', age: 4, on: null },
    ]);
  });

  test('YAML and JSON: a record by key', () => {
    expect(rowsOf('X: { owner: Ada }\n', '{ file: staff.yaml }')).toEqual([{ key: 'X', owner: 'Ada' }]);
    expect(rowsOf('{ "X": { "owner": "Ada", "apps": ["a"] } }', '{ file: staff.json }')).toEqual([
      { key: 'X', owner: 'Ada', apps: ['a'] },
    ]);
  });

  test('JSON: a list of records, with the line of a repeated key', () => {
    const json = '[\n  { "serial_number": "X" },\n  { "serial_number": "Y" },\n  { "serial_number": "x" }\n]';
    const { problems } = compile('true', { csv: json, lookup: '{ file: staff.json, key: serial_number }' });
    expect(problems.map(({ text }) => text)).toEqual([
      'rules/staff.json:4:1: the serial_number "x" is already on line 2: keep one of the rows [lookup/invalid-data]',
    ]);
  });

  test('JSON: a number that loses digits is a problem', () => {
    const json = '[{ "serial_number": "X", "imei": 1234567890123456789012345 }]';
    const { problems } = compile('true', { csv: json, lookup: '{ file: staff.json, key: serial_number }' });
    expect(problems[0]?.message).toBe('a number is too long to be exact: put it in quotes');
  });

  test('any text survives a CSV file unchanged', () => {
    const quoted = (text: string): string => `"${text.replace(/"/g, '""')}"`;
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ unit: 'grapheme' }).filter((text) => text.trim() !== ''),
          { minLength: 1 },
        ),
        (texts) => {
          const csv = `serial_number,v\n${texts.map((text, index) => `K${index},${quoted(text)}\n`).join('')}`;
          expect(rowsOf(csv)?.map((row) => row['v'])).toEqual(texts);
        },
      ),
      { numRuns: 50 },
    );
  });
});

test('a rule waits for the inventory that its key needs, also when it asks for null', () => {
  for (const condition of [
    DEPARTMENT,
    'lookup.staff[device.serial_number] == null',
    'device.serial_number in lookup.staff',
  ])
    expect(ruleOf(compile(condition)).condition?.paths).toContainEqual(['device', 'serial_number']);
});
