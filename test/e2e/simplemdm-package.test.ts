import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startSimulator } from '../../simulator/start.js';
import type { Simulator } from '../../simulator/start.js';

const run = promisify(execFile);
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
let simulator: Simulator;
let project: string;

/** A project that uses only the client. */
beforeAll(async () => {
  simulator = await startSimulator({ apiKey: 'api-key-of-the-package-test' });
  project = await mkdtemp(join(tmpdir(), 'mdm-reflex-consumer-'));
  await mkdir(join(project, 'node_modules', '@types'), { recursive: true });
  await symlink(root, join(project, 'node_modules', 'mdm-reflex'));
  await symlink(
    join(root, 'node_modules', '@types', 'node'),
    join(project, 'node_modules', '@types', 'node'),
  );
  await writeFile(join(project, 'package.json'), '{"type":"module"}');
});

afterAll(async () => {
  await simulator.close();
  await rm(project, { recursive: true, force: true });
});

const program = `
import { createSimpleMdm, SimpleMdmError } from 'mdm-reflex/simplemdm';
import type { ErrorCode, SimpleMdm } from 'mdm-reflex/simplemdm';

const api: SimpleMdm = createSimpleMdm({ apiKey: process.argv[2] ?? '', baseUrl: process.argv[3] ?? '' });
const names: string[] = [];
for await (const device of api.devices.list({ search: 'MacBook' })) names.push(device.attributes.name ?? 'no name');
const first = await api.devices.listPage({ limit: 2 });
try {
  await api.devices.retrieve(99_999);
} catch (error) {
  if (!(error instanceof SimpleMdmError)) throw error;
  const status: number | undefined = error.failure.status;
  const code: ErrorCode = error.code;
  console.log(JSON.stringify({ names, page: first.data.length, hasMore: first.hasMore, status, code }));
}
`;

test('the client alone type-checks under strict settings and runs', async () => {
  await writeFile(join(project, 'program.ts'), program);
  await run(
    process.execPath,
    [
      join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
      ...[
        '--strict',
        '--exactOptionalPropertyTypes',
        '--noUncheckedIndexedAccess',
        '--skipLibCheck',
        'false',
      ],
      ...['--module', 'nodenext', '--target', 'es2023', '--types', 'node', 'program.ts'],
    ],
    { cwd: project },
  );
  const { stdout } = await run(
    process.execPath,
    ['program.js', 'api-key-of-the-package-test', simulator.url],
    { cwd: project },
  );
  expect(JSON.parse(stdout)).toEqual({
    names: ["Priya's MacBook Pro"],
    page: 2,
    hasMore: true,
    status: 404,
    code: 'api/not-found',
  });
});
