import { isUtf8 } from 'node:buffer';
import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { isMap, isScalar, parseDocument } from 'yaml';
import { errorCode, errorText } from '../telemetry/error-text.js';

/** A data file that a rule file names under `lookups:`. */
export interface DataFile {
  /** As written in the rule file. */
  readonly file: string;
  /** The name for messages: the path of the rule file's folder and the file. */
  readonly name: string;
  /** The text, or why it cannot be used. */
  readonly content:
    | { readonly text: string }
    /** Without a line the problem is the reference in the rule file; with a line it is in the data file. */
    | { readonly problem: string; readonly line?: number; readonly column?: number };
}

/** A larger file would stop the process for too long while it is parsed. */
const MAX_FILE_BYTES = 20_000_000;

/**
 * Reads the data files that a rule file names under `lookups:`.
 *
 * A data file lies in the folder of the rules or below it, also after links are followed: a rule must not be able to read any file
 * of the machine into a message.
 *
 * @param ruleFile - The path of the rule file.
 * @param text - The text of the rule file.
 * @param root - The folder of the rules.
 * @returns The files, or undefined when the rule file names none.
 */
export async function readDataFiles(
  ruleFile: { readonly path: string; readonly name: string },
  text: string,
  root: string,
): Promise<readonly DataFile[] | undefined> {
  const files = filesNamedIn(text);
  if (files.length === 0) return undefined;
  return Promise.all(
    files.map(async (file) => ({
      file,
      name: join(dirname(ruleFile.name), file),
      content: await contentOf(file, resolve(dirname(ruleFile.path), file), root),
    })),
  );
}

/** The values of `file` under `lookups:`. A rule file that cannot be parsed names none; its problems are reported when it is compiled. */
function filesNamedIn(text: string): string[] {
  if (!/^["']?lookups["']?\s*:/m.test(text)) return [];
  const lookups: unknown = parseDocument(text, { prettyErrors: false }).get('lookups');
  if (!isMap(lookups)) return [];
  const files = lookups.items.flatMap(({ value }) => {
    const file: unknown = isMap(value) ? value.get('file') : isScalar(value) ? value.value : undefined;
    return typeof file === 'string' && file !== '' ? [file] : [];
  });
  return [...new Set(files)];
}

async function contentOf(file: string, path: string, root: string): Promise<DataFile['content']> {
  const outside = { problem: `${file} is outside of the folder of the rules: put it into that folder` };
  if (isAbsolute(file) || !isWithin(resolve(root), path)) return outside;
  try {
    // The real folder: it may itself be a link, as in a mounted Kubernetes config map.
    const real = await realpath(path);
    if (!isWithin(await realpath(root), real)) return outside;
    const found = await stat(real);
    // A pipe or a device would never end.
    if (!found.isFile()) return { problem: `${file} is not a file; expected a file beside the rule file` };
    const { size } = found;
    if (size > MAX_FILE_BYTES)
      return { problem: `${file} has ${size} bytes; at most ${MAX_FILE_BYTES} are read` };
    return decoded(file, await readFile(real));
  } catch (error) {
    const why = errorCode(error) === 'ENOENT' ? 'no such file' : errorText(error);
    return { problem: `${file} cannot be read: ${why}; expected a file beside the rule file` };
  }
}

function isWithin(folder: string, path: string): boolean {
  const from = relative(folder, path);
  return from !== '..' && !from.startsWith(`..${sep}`) && !isAbsolute(from);
}

const SAVE_AS = 'save the file as UTF-8 (in Excel: "CSV UTF-8")';

/** Decodes UTF-8. Other encodings are refused: guessing one would change names without a word. */
function decoded(file: string, bytes: Buffer): DataFile['content'] {
  const start = bytes.subarray(0, 2).toString('hex');
  if (start === 'fffe' || start === 'feff' || bytes.subarray(0, 1000).includes(0))
    return { problem: `this file is UTF-16 or not a text: ${SAVE_AS}`, line: 1, column: 1 };
  // The byte order mark is left out.
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  if (!text.includes('\uFFFD') || isUtf8(bytes)) return { text };
  const before = text.slice(0, text.indexOf('\uFFFD')).split('\n');
  const [line, column] = [before.length, (before.at(-1)?.length ?? 0) + 1];
  return { problem: `${file} is not UTF-8 (Windows-1252 or Latin-1?): ${SAVE_AS}`, line, column };
}
