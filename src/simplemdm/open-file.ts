import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';

/**
 * Opens a file for an upload. The file is streamed from disk, so it may be larger than memory. It must not change until the
 * upload ends.
 *
 * @throws The system's error when the file cannot be read.
 */
export async function openFile(path: string): Promise<File> {
  return new File([await openAsBlob(path)], basename(path));
}
