import { readFile, readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { errorCode, errorText } from '../telemetry/error-text.js';
import { OperatorError } from './operator-error.js';

/**
 * Reads the rule file, or the `.yaml` and `.yml` files of the rule folder, in order of their names.
 *
 * Names that begin with a dot are passed over, and so are folders: in Kubernetes a mounted config map holds its files
 * as links through hidden folders. Links are followed.
 *
 * @param path - `RULES_PATH`.
 * @returns For each file its name as a person would type it, and its text.
 * @throws OperatorError when there is nothing at the path, or it cannot be read.
 */
export async function readRuleFiles(path: string): Promise<{ name: string; text: string }[]> {
  try {
    const paths = (await stat(path)).isDirectory() ? await filesIn(path) : [path];
    return await Promise.all(
      paths.map(async (file) => ({ name: shortName(file), text: await readFile(file, 'utf8') })),
    );
  } catch (error) {
    const why = errorCode(error) === 'ENOENT' ? 'there is nothing there' : errorText(error);
    const message = `RULES_PATH ${path}: ${why}; expected a rule file or a folder of .yaml files`;
    throw new OperatorError([{ code: 'rule/files-unreadable', message }]);
  }
}

async function filesIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder))
    .filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.'))
    .sort();
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      return (await stat(path)).isFile() ? [path] : [];
    }),
  );
  return files.flat();
}

function shortName(file: string): string {
  const fromHere = relative(process.cwd(), file);
  return fromHere.startsWith('..') ? file : fromHere;
}
