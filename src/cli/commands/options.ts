import { z } from 'zod';
import { OperatorError } from '../../config/operator-error.js';

const flag = z.boolean().default(false);

/** Options that several commands share, as commander hands them over. */
export const flags = z.object({ json: flag, everything: flag, ignoreEnv: flag, offline: flag, strict: flag });
export const accountOption = z.object({ account: z.string() });
export const rulesOption = z.object({ rules: z.string().optional() });

/** The declarations of shared options: `.option(...JSON_OPTION)`. */
export const JSON_OPTION = ['--json', 'print JSON, errors included'] as const;
export const RULES_OPTION = ['--rules <path>', 'a rule file or a folder of rule files (RULES_PATH)'] as const;

/**
 * Parses the options of a command.
 *
 * @throws OperatorError with a line for each invalid option.
 */
export function parseOptions<S extends z.ZodType>(schema: S, options: unknown): z.output<S> {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  throw new OperatorError(
    parsed.error.issues.map(({ path, message }) => ({
      code: 'cli/invalid-option',
      message: `--${path.join('.')}: ${message}`,
    })),
  );
}
