import { constants } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeProblem } from '../config/write-error-text.js';
import { OperatorError } from '../config/operator-error.js';
import { errorCode } from '../telemetry/error-text.js';

/**
 * Creates a folder in `DATA_DIR` that only this user can access, and checks that it is writable.
 *
 * @throws OperatorError when the folder cannot be created or written.
 */
export async function createDataFolder(dataDir: string, folder: string): Promise<void> {
  try {
    await createFolder(folder);
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new OperatorError([
      {
        code: 'redis/data-dir',
        message: `DATA_DIR ${dataDir}: ${writeProblem(error)}; set DATA_DIR to a folder that this user can write to`,
      },
    ]);
  }
}

/** Creates parents one by one: the recursive mkdir of Node never ends where folders cannot be created, such as in /proc. */
async function createFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) === 'EEXIST' && (await stat(folder)).isDirectory()) return;
    const parent = dirname(folder);
    const parentIsMissing =
      errorCode(error) === 'ENOENT' &&
      (await stat(parent).then(
        () => false,
        (reason: unknown) => errorCode(reason) === 'ENOENT',
      ));
    if (!parentIsMissing || parent === folder) throw error;
    await createFolder(parent);
    await mkdir(folder, { mode: 0o700 });
  }
}
