import { describe, expect, test } from '@jest/globals';
import { PassThrough } from 'node:stream';
import pretty from 'pino-pretty';
import { terminalLine } from '../../../src/telemetry/terminal-line.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { HOSTILE_NAMES } from '../../support/hostile-names.js';
import { collectLog } from '../../support/log-lines.js';

// eslint-disable-next-line no-control-regex -- control characters are what the pattern looks for
const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\u{e0000}-\u{e007f}]/u; // prettier-ignore

function linesFor(name: string): string {
  const { logTo, log } = collectLog();
  const logger = createLogger({ level: 'info', redact: (text) => text, destination: logTo });
  logger.info(`${name} joined`);
  logger.warn({ code: 'step/log-message', device: name, [name]: [name], err: new Error(name) }, name);
  return log();
}

/** What a person sees on a terminal. */
function readable(lines: string): string {
  const out = new PassThrough();
  const stream = pretty({ sync: true, destination: out, colorize: false });
  for (const line of lines.split('\n').filter((text) => text !== '')) stream.write(terminalLine(line));
  return String(out.read() ?? '');
}

describe.each(HOSTILE_NAMES)('%j in the log', (name) => {
  test('is safe to print, keeps its value and stays on its line', () => {
    const lines = linesFor(name);
    expect(lines).not.toMatch(UNSAFE);
    const [joined, warning, ...others] = lines.split('\n').filter((line) => line !== '');
    expect(others).toEqual([]);
    const wellFormed = name.replace(/\p{Surrogate}/gu, '\ufffd');
    const messageOf = (line = ''): unknown =>
      Object.entries(Object(JSON.parse(line))).find(([key]) => key === 'msg')?.[1];
    expect([name, wellFormed]).toContain(messageOf(warning));
    expect([`${name} joined`, `${wellFormed} joined`]).toContain(messageOf(joined));
  });

  test('is safe in the readable form', () => {
    const shown = readable(linesFor(name));
    expect(shown).not.toMatch(UNSAFE);
    expect(shown.split('\n').filter((line) => line.startsWith('['))).toHaveLength(2);
  });
});
