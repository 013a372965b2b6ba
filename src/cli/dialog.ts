import { createInterface } from 'node:readline/promises';

/** A person at a terminal, or a script. */
export interface Dialog {
  /** Whether a person can be asked. */
  readonly isInteractive: boolean;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Asks a question; anything but yes is no. */
  readonly ask: (question: string) => Promise<boolean>;
  /** Shows a line that the next one replaces. Does nothing where nobody watches. */
  readonly progress: (line: string) => void;
  readonly print: (line: string) => void;
}

/** Where a person reads and writes. */
export interface DialogStreams {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
}

/** Clears the line of the cursor. */
const CLEAR_LINE = '\r\u001b[2K';

/**
 * Runs a task that talks to whoever started the command. Ctrl-C ends the task and not the process, so that the task can say what goes on.
 *
 * @param print - Writes a line to standard output.
 */
export async function withDialog<T>(
  print: (text: string) => void,
  task: (dialog: Dialog) => Promise<T>,
  { stdin, stdout, stderr }: DialogStreams = process,
): Promise<T> {
  const isInteractive = stdin.isTTY === true && stdout.isTTY === true;
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  process.on('SIGINT', stop);
  const width = (): number => stderr.columns ?? 80;
  const clear = (): void => {
    if (isInteractive) stderr.write(CLEAR_LINE);
  };
  try {
    return await task({
      isInteractive,
      signal: stopping.signal,
      ask: async (question) => {
        clear();
        const lines = createInterface({ input: stdin, output: stderr });
        lines.once('SIGINT', stop);
        // Without an answer, by Ctrl-D.
        lines.once('close', stop);
        try {
          const answer = await lines.question(`${question} [y/N] `, { signal: stopping.signal });
          lines.off('close', stop);
          return /^y(es)?$/i.test(answer.trim());
        } catch (error) {
          if (!stopping.signal.aborted) throw error;
          stderr.write('\n');
          return false;
        } finally {
          lines.close();
        }
      },
      progress: (line) => {
        if (isInteractive) stderr.write(CLEAR_LINE + line.slice(0, width() - 1));
      },
      print: (line) => {
        clear();
        print(line);
      },
    });
  } finally {
    clear();
    process.off('SIGINT', stop);
  }
}
