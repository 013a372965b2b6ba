import { readFile, readdir, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { errorCode, errorText } from '../telemetry/error-text.js';
import { OperatorError } from './operator-error.js';
import { readDataFiles } from './read-data-files.js';
import type { DataFile } from './read-data-files.js';

/** A rule file, and the data files that it names. */
interface ReadRuleFile {
  readonly name: string;
  readonly text: string;
  readonly data?: readonly DataFile[];
}

/**
 * Reads a rule file, or the `.yaml` and `.yml` files of a folder in the order of their names.
 *
 * Skips folders and hidden files but follows links: a mounted Kubernetes config map links its files through hidden folders. Skips the
 * YAML files that a rule file names under `lookups:`.
 *
 * @param path - `RULES_PATH`.
 * @returns For each file its name relative to the working directory, when it is below it, its text, and the data files that it names
 * under `lookups:`.
 * @throws OperatorError when the path does not exist or cannot be read.
 */
export async function readRuleFiles(path: string): Promise<ReadRuleFile[]> {
  try {
    const isFolder = (await stat(path)).isDirectory();
    const paths = isFolder ? await filesIn(path) : [path];
    const root = isFolder ? path : dirname(path);
    const files: ReadRuleFile[] = await Promise.all(
      paths.map(async (file) => {
        const [name, text] = [shortName(file), await readFile(file, 'utf8')];
        const data = await readDataFiles({ path: file, name }, text, root);
        return { name, text, ...(data && { data }) };
      }),
    );
    return withoutDataFiles(files);
  } catch (error) {
    const reason = errorCode(error) === 'ENOENT' ? 'no such file or folder' : errorText(error);
    throw new OperatorError([
      {
        code: 'settings/rules-path',
        message: `RULES_PATH ${path}: ${reason}; expected a rule file or a folder of .yaml files`,
      },
    ]);
  }
}

/** Leaves out the data files. A file with keys of a rule file stays: a lookup must not hide rules without a word. */
function withoutDataFiles(files: readonly ReadRuleFile[]): ReadRuleFile[] {
  const dataFiles = new Set(files.flatMap(({ data = [] }) => data.map(({ name }) => name)));
  return files.filter(
    ({ name, text }) => !dataFiles.has(name) || /^["']?(rules|channels|lookups)["']?\s*:/m.test(text),
  );
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
  const relativePath = relative(process.cwd(), file);
  return relativePath.startsWith('..') ? file : relativePath;
}
