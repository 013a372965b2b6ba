import type { Dialog } from '../../src/cli/dialog.js';

/** A terminal or a script, with what it was shown. Nobody is there unless `changes` say otherwise. */
export function dialogOf(changes: Partial<Dialog> = {}): { dialog: Dialog; lines: string[] } {
  const lines: string[] = [];
  const dialog: Dialog = {
    isInteractive: false,
    signal: new AbortController().signal,
    ask: () => Promise.reject(new Error('nobody is there')),
    progress: (line) => void lines.push(line),
    print: (line) => void lines.push(line),
    ...changes,
  };
  return { dialog, lines };
}
