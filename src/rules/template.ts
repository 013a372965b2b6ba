import { Liquid } from 'liquidjs';
import { isNativeError } from 'node:util/types';
import { envReferencesIn } from '../config/env-reference.js';
import { didYouMean } from '../config/nearest-name.js';
import { errorText } from '../telemetry/error-text.js';
import type { ExpressionProblem } from './condition.js';
import type { Shape } from './vocabulary.js';
import type { Values } from './values.js';

/** A compiled text with `{{ … }}` in it. */
export interface Template {
  /** The first name of every variable in it. */
  readonly names: ReadonlySet<string>;
  /**
   * Fills the text in. `${env:NAME}` is taken from the environment where the rule's author wrote it; in a value it is just text,
   * or a device could be named after a secret and be told it.
   *
   * @throws Error that says which part could not be filled in; a template never yields half a text.
   */
  readonly render: (values: Values, env: NodeJS.ProcessEnv) => string;
}

const engine = new Liquid({
  strictVariables: true,
  strictFilters: true,
  // `{{ x | default: "-" }}` and `{% if x %}` are how a missing value is asked for on purpose.
  lenientIf: true,
  ownPropertyOnly: true,
  // No files: a rule cannot read anything but its values.
  templates: {},
  parseLimit: 100_000,
  renderLimit: 500,
  memoryLimit: 10_000_000,
});

/** How a `${env:NAME}` of the author reaches the engine: as a variable under a name that no rule can write. */
const ENV = 'env_of_the_service';
const ENV_REFERENCE = /\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** Whether a text needs filling in. */
export function isTemplate(text: string): boolean {
  return text.includes('{{') || text.includes('{%');
}

/**
 * Compiles a Liquid template and checks the names in it.
 *
 * @param shapes - The names that may stand here.
 */
export function compileTemplate(
  text: string,
  shapes: Readonly<Record<string, Shape>>,
): Template | ExpressionProblem {
  let parsed;
  try {
    parsed = engine.parse(text.replace(ENV_REFERENCE, (_reference, name: string) => `{{ ${ENV}.${name} }}`));
  } catch (error) {
    return { message: messageOf(error), offset: positionIn(text, error) };
  }
  const envNames = envReferencesIn(text);
  const segments = engine
    .globalVariableSegmentsSync(parsed)
    .filter(([name, member]) => !(name === ENV && envNames.includes(String(member))));
  for (const path of segments) {
    const problem = problemWithPath(path, shapes);
    if (problem !== undefined)
      return { message: problem, offset: Math.max(0, text.indexOf(String(path[0]))) };
  }
  return {
    names: new Set(segments.map((path) => String(path[0]))),
    render: (values, env) => {
      try {
        const referred = Object.fromEntries(envNames.map((name) => [name, env[name]]));
        const rendered: unknown = engine.renderSync(parsed, { ...values, [ENV]: referred });
        return String(rendered);
      } catch (error) {
        throw new Error(messageOf(error), { cause: error });
      }
    },
  };
}

function problemWithPath(
  path: readonly unknown[],
  shapes: Readonly<Record<string, Shape>>,
): string | undefined {
  let shape: Shape = { fields: shapes };
  const walked: string[] = [];
  for (const name of path) {
    if (typeof shape === 'string' || 'mapOf' in shape || 'list' in shape) return undefined;
    // A computed name (`device[field]`) is known only at run time.
    if (typeof name !== 'string') return undefined;
    const inner: Shape | undefined = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
    if (inner === undefined) {
      const what =
        walked.length === 0 ? `unknown name "${name}"` : `unknown field "${name}" of ${walked.join('.')}`;
      return what + didYouMean(name, Object.keys(shape.fields));
    }
    walked.push(name);
    shape = inner;
  }
  return undefined;
}

/** The library ends its messages with ", line:1, col:2"; the place is told in ours. */
function messageOf(error: unknown): string {
  return errorText(error).replace(/, (?:file:.*?, )?line:\d+, col:\d+$/, '');
}

function positionIn(text: string, error: unknown): number {
  const found = isNativeError(error) ? /line:(\d+), col:(\d+)$/.exec(error.message) : null;
  if (found === null) return 0;
  const before = text.split('\n').slice(0, Number(found[1]) - 1);
  return before.reduce((sum, line) => sum + line.length + 1, 0) + Number(found[2]) - 1;
}
