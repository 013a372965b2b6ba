import { errorCode, errorText } from '../telemetry/error-text.js';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'the folder that it is to be in is not there',
  ENOTDIR: 'a part of the path is a file and no folder',
  EISDIR: 'that is a folder',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'nothing can be written there (read-only)',
  ENOSPC: 'the disk is full',
  ENAMETOOLONG: 'the path is too long',
};

/** Why a file or folder could not be written, in words. */
export function writeProblem(error: unknown): string {
  return REASONS[errorCode(error) ?? ''] ?? errorText(error);
}
