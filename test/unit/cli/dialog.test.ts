import { afterEach, describe, expect, test } from '@jest/globals';
import { PassThrough } from 'node:stream';
import { withDialog } from '../../../src/cli/dialog.js';
import type { Dialog } from '../../../src/cli/dialog.js';
import { until } from '../../support/until.js';

const CLEAR = '\r\u001b[2K';

/** A stream that says that it is a terminal. The question is read by the real readline, key by key. */
class Terminal extends PassThrough {
  readonly isTTY = true;
  readonly columns = 40;
  isRaw = false;
  setRawMode(isRaw: boolean): this {
    this.isRaw = isRaw;
    return this;
  }
}

const opened: Terminal[] = [];
afterEach(() => {
  for (const terminal of opened.splice(0)) terminal.destroy();
});

function open() {
  const stdin = new Terminal();
  const stderr = new Terminal();
  opened.push(stdin, stderr);
  let shown = '';
  stderr.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  const printed: string[] = [];
  return {
    stdin,
    shown: () => shown,
    printed,
    run: <T>(task: (dialog: Dialog) => Promise<T>): Promise<T> =>
      withDialog((line) => void printed.push(line), task, { stdin, stdout: { isTTY: true }, stderr }),
  };
}

/** Asks, and presses keys when the question is there. */
async function answer(
  keys: string,
): Promise<{ yes: boolean; aborted: boolean; isRaw: boolean; shown: string }> {
  const { stdin, shown, run } = open();
  const result = await run(async ({ ask, signal }) => {
    const asked = ask('Run audit now?');
    await until('the question is there', () => shown().includes('Run audit now? [y/N] '));
    // A terminal hands over each key.
    expect(stdin.isRaw).toBe(true);
    stdin.write(keys);
    return { yes: await asked, aborted: signal.aborted };
  });
  return { ...result, isRaw: stdin.isRaw, shown: shown() };
}

describe('a question at a terminal', () => {
  test.each(['y\r', 'yes\r', 'YES\r', ' y \r', 'x\u007fy\r'])('%j is yes', async (keys) => {
    expect(await answer(keys)).toMatchObject({ yes: true, aborted: false, isRaw: false });
  });

  test.each(['\r', 'n\r', 'no\r', 'yesterday\r', 'j\r'])('%j is no', async (keys) => {
    expect(await answer(keys)).toMatchObject({ yes: false, aborted: false, isRaw: false });
  });

  test.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-C after a yes that was not sent', 'y\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('%s is no, ends the task, and gives the terminal back', async (_name, keys) => {
    const result = await answer(keys);
    expect(result).toMatchObject({ yes: false, aborted: true, isRaw: false });
    // What comes next starts on a line of its own.
    expect(result.shown).toContain('\n');
  });

  test('a second question can be asked', async () => {
    const { stdin, shown, run } = open();
    const answers = await run(async ({ ask }) => {
      const first = ask('First?');
      stdin.write('y\r');
      const isFirst = await first;
      const second = ask('Second?');
      await until('the second question is there', () => shown().includes('Second? [y/N] '));
      stdin.write('n\r');
      return [isFirst, await second];
    });
    expect(answers).toEqual([true, false]);
  });
});

describe('progress', () => {
  test('replaces its line, is cut to the width, and makes room for what is printed', async () => {
    const { shown, printed, run } = open();
    await run(({ progress, print }) => {
      progress('1 of 2');
      progress('x'.repeat(100));
      print('done');
      return Promise.resolve();
    });
    expect(shown()).toBe(`${CLEAR}1 of 2${CLEAR}${'x'.repeat(39)}${CLEAR}${CLEAR}`);
    expect(printed).toEqual(['done']);
  });

  test('is not shown where nobody watches', async () => {
    const stdin = new Terminal();
    const stderr = new Terminal();
    opened.push(stdin, stderr);
    const isInteractive = await withDialog(
      () => undefined,
      (dialog) => {
        dialog.progress('1 of 2');
        return Promise.resolve(dialog.isInteractive);
      },
      // The output goes into a pipe.
      { stdin, stdout: {}, stderr },
    );
    expect(isInteractive).toBe(false);
    expect(stderr.read()).toBeNull();
  });
});

test('Ctrl-C outside of a question aborts the task, and afterwards ends the process as usual', async () => {
  const before = process.listenerCount('SIGINT');
  const { run } = open();
  const aborted = await run(async ({ signal }) => {
    expect(process.listenerCount('SIGINT')).toBe(before + 1);
    process.emit('SIGINT');
    await until('the task is told', () => signal.aborted);
    return signal.aborted;
  });
  expect(aborted).toBe(true);
  expect(process.listenerCount('SIGINT')).toBe(before);
});
