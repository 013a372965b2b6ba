import { expect } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';

/** Expects a generated file of the repository to be up to date. `UPDATE_DOCS=1` writes the file. */
export async function expectGenerated(name: string, text: string): Promise<void> {
  const path = resolve(name);
  const formatted = await format(text, { ...(await resolveConfig(path)), filepath: path });
  if (process.env['UPDATE_DOCS'] !== undefined) writeFileSync(path, formatted);
  expect(readFileSync(path, 'utf8')).toBe(formatted);
}
