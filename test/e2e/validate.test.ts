import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../support/process.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mdm-reflex-validate-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const good = 'rules: [{ id: good, on: device.enrolled, do: [log: { message: "${env:GREETING}" }] }]\n';
const bad = `rules:
  - id: bad
    on: device.enroled
    if: device.platfrom == "macOS"
    do:
      - wipe: {}
`;

async function fileOf(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

test('valid rules, with environment variables', async () => {
  const path = await fileOf('good.yaml', good);
  expect(await runCommand(['validate', path], { GREETING: 'hello' })).toEqual({
    code: 0,
    output: expect.stringMatching(/^1 rule in 1 file: no problems\nnot checked: .* exist: SIMPLEMDM_API_KEY/),
  });
  const unset = await runCommand(['validate', path], {});
  expect(unset.code).toBe(1);
  expect(unset.output).toContain(
    'the environment variable GREETING is not set: write it into .env, which a running service reads again within seconds, or set it and restart the service [rule/env-not-set]\n',
  );
  expect((await runCommand(['validate', path, '--ignore-env'], {})).code).toBe(0);
});

test('invalid rules: every problem with its position and its code', async () => {
  const path = await fileOf('bad.yaml', bad);
  const { code, output } = await runCommand(['validate', path], {});
  expect(code).toBe(1);
  expect(output).toContain(
    `${path}:3:9: unknown event type "device.enroled"; did you mean "device.enrolled"?`,
  );
  expect(output).toContain(
    `${path}:4:16: unknown field "platfrom"; did you mean "platform"? [rule/unknown-field]\n`,
  );
  expect(output).toContain(`${path}:6:9: wipe cannot be undone: add "allow: [destructive]"`);
  expect(output).toMatch(/ if you mean it \[rule\/not-allowed\]\n/);
  expect(output).toMatch(/3 problems in 1 file\n$/);
});

test('a probable mistake is a warning, and a problem with --strict', async () => {
  const path = await fileOf(
    'doubtful.yaml',
    "rules: [{ id: r, on: device.enrolled, do: [log: { message: '${TOKEN}' }] }]\n",
  );
  const warned = await runCommand(['validate', path, '--offline'], {});
  expect(warned.code).toBe(0);
  expect(warned.output).toContain(`warning: ${path}:1:61: \${TOKEN} is not replaced`);
  expect(warned.output).toContain('1 rule in 1 file: no problems, 1 warning\n');
  expect(JSON.parse((await runCommand(['validate', path, '--json'], {})).output)).toMatchObject({
    valid: true,
    problems: [],
    warnings: [
      {
        code: 'rule/env-misplaced',
        file: path,
        line: 1,
        column: 61,
        message: '${TOKEN} is not replaced; did you mean "${env:TOKEN}"?',
      },
    ],
  });
  expect((await runCommand(['validate', path, '--strict'], {})).code).toBe(1);
});

test('an empty folder is a warning', async () => {
  const empty = join(folder, 'empty');
  await mkdir(empty);
  expect(await runCommand(['validate', empty, '--offline'], {})).toEqual({
    code: 0,
    output: expect.stringContaining(
      `warning: ${empty}: there is no .yaml file in this folder [rule/no-rules]`,
    ),
  });
});

test('a file that is not a rule file does not list every line', async () => {
  const text = Array.from({ length: 60 }, (_, index) => `- "a" ${index} "b" [`).join('\n');
  const { code, output } = await runCommand(['validate', await fileOf('notes.yaml', text)], {});
  expect(code).toBe(1);
  expect(output).toMatch(/notes\.yaml: and \d+ more\n/);
});

test('as JSON, for a machine', async () => {
  const path = await fileOf('bad.yaml', bad);
  const { code, output } = await runCommand(['validate', path, '--json'], {});
  expect(code).toBe(1);
  expect(JSON.parse(output)).toMatchObject({
    valid: false,
    files: [path],
    rules: ['bad'],
    problems: [
      {
        code: 'rule/unknown-event-type',
        file: path,
        line: 3,
        column: 9,
        message: expect.stringMatching(
          /^unknown event type "device\.enroled"; did you mean "device\.enrolled"\?/,
        ),
      },
      {
        code: 'rule/unknown-field',
        file: path,
        line: 4,
        column: 16,
        message: 'unknown field "platfrom"; did you mean "platform"?',
      },
      {
        code: 'rule/not-allowed',
        file: path,
        line: 6,
        column: 9,
        message: 'wipe cannot be undone: add "allow: [destructive]" to the rule if you mean it',
      },
    ],
  });
});

test('a missing path is an error', async () => {
  const { code, output } = await runCommand(['validate', join(folder, 'nothing.yaml')], {});
  expect(code).toBe(78);
  expect(output).toMatch(/^mdm-reflex: .*nothing\.yaml/);
});
