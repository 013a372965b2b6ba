import type { Paint } from '../terminal.js';

/** What the commands work with. */
export interface CommandContext {
  readonly env: NodeJS.ProcessEnv;
  readonly paint: Paint;
  /** Writes a result to standard output. */
  readonly print: (text: string) => void;
}
