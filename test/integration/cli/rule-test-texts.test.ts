import { expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testRules } from '../../../src/cli/rule-tests.js';
import { OperatorError } from '../../../src/config/operator-error.js';

const RULES = `
rules:
  - id: tag
    on: device.enrolled
    if: device.serial_number == "000123" && attributes.room == "26.10"
    do:
      - run_script: Say hi
        id: hi
      - set_attribute: { name: asset_tag, value: 0017 }
        if: steps.hi.response == "1e3"
      - http_request: { url: 'https://a.example/{{ device.serial_number }}' }
        id: answer
      - log: 'status {{ steps.answer.status_code }}'
`;

/** A file of one test whose texts have no quotes, with one line changed. */
const testFile = (change: (line: string) => string = (line) => line): string =>
  `
rules: rules.yaml
env: { PIN: 012345 }
tests:
  - name: 007
    event: { type: device.enrolled, data: { device: { id: 5, serial_number: "000123" } } }
    facts:
      device: { id: 5, serial_number: 000123 }
      attributes: { room: 26.10 }
    steps:
      hi: { response: 1e3, status_code: 0 }
      answer: { status_code: 200 }
    expect:
      tag:
        - run_script: Say hi
        - set_attribute: { value: 0017 }
        - http_request: { url: https://a.example/000123 }
        - log: status 200
`
    .split('\n')
    .map(change)
    .join('\n');

async function run(tests: string): ReturnType<typeof testRules> {
  const folder = await mkdtemp(join(tmpdir(), 'rule-tests-'));
  try {
    await writeFile(join(folder, 'rules.yaml'), RULES);
    await writeFile(join(folder, 'tests.yaml'), tests);
    return await testRules({}, join(folder, 'tests.yaml'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('texts in facts, outputs and expected steps are what the file has', async () => {
  const { passed, failed, output } = await run(testFile());
  expect(output).toContain('✔ 007');
  expect({ passed, failed }).toEqual({ passed: 1, failed: 0 });
});

test('a number of another form in the data of an event is refused', async () => {
  const tests = testFile((line) => line.replace('serial_number: "000123"', 'serial_number: 000123'));
  const problems = await run(tests).then(
    () => [],
    (error: unknown) => (error instanceof OperatorError ? error.problems : []),
  );
  expect(problems.map(({ message }) => message)).toEqual([
    'YAML reads 000123 as the number 123: put it in quotes if it is a text: "000123", or write 123',
  ]);
});
