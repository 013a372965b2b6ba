import { randomInt } from 'node:crypto';
import { Liquid, analyzeSync } from 'liquidjs';
import type { Template as LiquidTemplate } from 'liquidjs';
import { isNativeError } from 'node:util/types';
import { envReferencesIn } from '../config/env-reference.js';
import { didYouMean } from '../config/nearest-name.js';
import { errorText } from '../telemetry/error-text.js';
import type { ExpressionProblem } from './expression-problem.js';
import { factOfPath } from './vocabulary.js';
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
  templates: {},
  parseLimit: 100_000,
  renderLimit: 500,
  memoryLimit: 10_000_000,
});
// No files: a rule cannot read anything but its values.
for (const tag of ['include', 'render', 'layout', 'block']) Reflect.deleteProperty(engine.tags, tag);

const ENV_REFERENCE = /\$\{env:[A-Za-z_][A-Za-z0-9_]*\}/g;

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
): Template | ExpressionProblem[] {
  const stands = standIns(text);
  let parsed: LiquidTemplate[];
  let variables: { path: unknown[]; row: number; col: number }[];
  try {
    parsed = engine.parse(stands.text);
    variables = Object.values(analyzeSync(parsed, { partials: false }).globals)
      .flat()
      .map(({ segments, location }) => ({ path: segments, row: location.row, col: location.col }));
  } catch (error) {
    return [{ message: messageOf(error), offset: positionOfError(text, error) }];
  }
  const problems = variables.flatMap(({ path, row, col }): ExpressionProblem[] => {
    const message = problemWithPath(path, shapes);
    return message === undefined ? [] : [{ message, offset: offsetOfPlace(text, row, col) }];
  });
  if (problems.length > 0) return problems;
  return {
    names: new Set(variables.map(({ path }) => factOfPath(path))),
    render: (values, env) => {
      try {
        const rendered: unknown = engine.renderSync(parsed, { ...values });
        return stands.fillIn(String(rendered), env);
      } catch (error) {
        throw new Error(messageOf(error), { cause: error });
      }
    },
  };
}

/**
 * Lets each `${env:NAME}` of the author pass through the engine as a stand-in of the same length that nobody can guess, so that
 * it is told apart from the same text in a value, and places in error messages stay right.
 */
function standIns(text: string): {
  text: string;
  fillIn: (rendered: string, env: NodeJS.ProcessEnv) => string;
} {
  const names = new Map<string, string>();
  const replaced = text.replace(ENV_REFERENCE, (reference) => {
    const standIn = Array.from({ length: reference.length }, () =>
      String.fromCharCode(0xe000 + randomInt(0x1900)),
    ).join('');
    names.set(standIn, envReferencesIn(reference)[0] ?? '');
    return standIn;
  });
  return {
    text: replaced,
    fillIn: (rendered, env) => {
      let filled = rendered;
      for (const [standIn, name] of names) {
        const value = env[name];
        if (value === undefined) throw new Error(`the environment variable ${name} is not set`);
        filled = filled.split(standIn).join(value);
      }
      return filled;
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

function positionOfError(text: string, error: unknown): number {
  const found = isNativeError(error) ? /line:(\d+), col:(\d+)$/.exec(error.message) : null;
  return found === null ? 0 : offsetOfPlace(text, Number(found[1]), Number(found[2]));
}

/** @param row - From 1. @param col - From 1. */
function offsetOfPlace(text: string, row: number, col: number): number {
  const before = text.split('\n').slice(0, row - 1);
  return before.reduce((sum, line) => sum + line.length + 1, 0) + col - 1;
}
