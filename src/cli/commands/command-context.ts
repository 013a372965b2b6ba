import type { EnvFile } from '../../config/env-file.js';
import type { Paint } from '../terminal.js';

/** What the commands work with. */
export interface CommandContext {
  readonly env: NodeJS.ProcessEnv;
  /** The file that `env` was completed from. */
  readonly envFile?: EnvFile;
  readonly paint: Paint;
  /** Writes a result to standard output. */
  readonly print: (text: string) => void;
}
