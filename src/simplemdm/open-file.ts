import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';

/**
 * Opens a file for an upload. It is streamed from the disk when it is sent, so it may be larger than the memory; it must
 * not change until then.
 *
 * @throws The system's error when the file cannot be read.
 */
export async function openFile(path: string): Promise<File> {
  return new File([await openAsBlob(path)], basename(path));
}
