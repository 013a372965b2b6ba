import { errorCode, errorText } from '../telemetry/error-text.js';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'the parent folder does not exist',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'the path is a folder',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  ENAMETOOLONG: 'the path is too long',
};

/** Why a file or folder could not be written, in plain words. */
export function writeProblem(error: unknown): string {
  return REASONS[errorCode(error) ?? ''] ?? errorText(error);
}
