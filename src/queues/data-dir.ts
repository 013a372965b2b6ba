import { constants } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeProblem } from '../config/write-problem.js';
import { OperatorError } from '../config/operator-error.js';
import { errorCode } from '../telemetry/error-text.js';

/**
 * Makes a folder within `DATA_DIR`, for this user alone, and sees that it can be written.
 *
 * @throws OperatorError that names DATA_DIR when it cannot.
 */
export async function makeDataFolder(dataDir: string, folder: string): Promise<void> {
  try {
    await makeFolder(folder);
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new OperatorError([
      `DATA_DIR ${dataDir}: ${writeProblem(error)}; make it a folder that this user may write, or set DATA_DIR to one`,
    ]);
  }
}

/** Each missing folder by itself: where none can be made, such as below /proc, Node's own recursion never ends. */
async function makeFolder(folder: string): Promise<void> {
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
    await makeFolder(parent);
    await mkdir(folder, { mode: 0o700 });
  }
}
