import { randomInt } from 'node:crypto';
import { Liquid } from 'liquidjs';
import type { Template as LiquidTemplate } from 'liquidjs';
import { isNativeError } from 'node:util/types';
import { envReferencesIn } from '../../config/env-reference.js';
import { didYouMean } from '../../config/nearest-name.js';
import { errorText } from '../../telemetry/error-text.js';
import type { ExpressionProblem } from '../model/problem.js';
import type { NamedField } from '../cel/expression-paths.js';
import { fieldsNamedOf, namesInTemplate, offsetOfPlace } from './template-names.js';
import type { TemplateNames } from './template-names.js';
import { ATTRIBUTE_PATHS, EVENT_DATA_PATH, factOfPath } from '../model/vocabulary.js';
import type { NamedReference, Shape } from '../model/vocabulary.js';
import type { Values } from '../model/values.js';

/** A compiled text with `{{ … }}` in it. */
export interface Template {
  /** The first name of every variable in it. */
  readonly names: ReadonlySet<string>;
  /** What it refers to by name, and where in it. */
  readonly references: readonly NamedReference[];
  /** What it takes of the data of the event. */
  readonly eventData: readonly NamedField[];
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

/** No message, script argument or request needs more; what is captured again and again doubles each time. */
const LONGEST = 1_000_000;

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
  const lost = envWithinBraces(text);
  if (lost.length > 0) return lost;
  const stands = standIns(text);
  let parsed: LiquidTemplate[];
  let names: TemplateNames;
  try {
    parsed = engine.parse(stands.text);
    names = namesInTemplate(parsed, stands.text, shapes);
  } catch (error) {
    return [problemOf(error, stands.text)];
  }
  if (names.problems.length > 0) return [...names.problems];
  return {
    names: new Set(names.paths.map(({ path }) => factOfPath(path))),
    references: ATTRIBUTE_PATHS.flatMap((path) => fieldsNamedOf(path, names, text)).map(
      ({ name, offset }) => ({
        kind: 'custom attribute',
        text: name,
        offset,
      }),
    ),
    eventData: fieldsNamedOf(EVENT_DATA_PATH, names, text),
    render: (values, env) => {
      try {
        const rendered = String(engine.renderSync(parsed, { ...values }));
        if (rendered.length > LONGEST) throw new Error(`the text would have more than ${LONGEST} characters`);
        return stands.fillIn(rendered, env);
      } catch (error) {
        throw new Error(messageOf(error), { cause: error });
      }
    },
  };
}

/** Within braces the engine would work on the stand-in of a variable, and not on its value. */
function envWithinBraces(text: string): ExpressionProblem[] {
  return [...text.matchAll(/\{\{.*?\}\}|\{%.*?%\}/gs)].flatMap(({ 0: part, index }) =>
    [...part.matchAll(ENV_REFERENCE)].map(({ 0: reference, index: within }) => ({
      message: `${reference} is not known within {{ }} and {% %}: write it outside of the braces (where it must be encoded, put the encoded text into the variable)`,
      offset: index + within,
    })),
  );
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

/** The library ends its messages with ", line:1, col:2"; the place is told in ours. */
function messageOf(error: unknown): string {
  return errorText(error).replace(/, (?:file:.*?, )?line:\d+, col:\d+$/, '');
}

const TAGS = Object.keys(engine.tags);
const FILTERS = Object.keys(engine.filters);

/** What the library found wrong with a text, in words for the author of a rule, at the place of the word that is wrong. */
function problemOf(error: unknown, text: string): ExpressionProblem {
  const place = isNativeError(error) ? /line:(\d+), col:(\d+)$/.exec(error.message) : null;
  const offset = place === null ? 0 : offsetOfPlace(text, Number(place[1]), Number(place[2]));
  const said = messageOf(error);
  const filter = /^undefined filter: (\w+)$/.exec(said)?.[1];
  if (filter !== undefined) {
    const at = text.slice(offset).search(new RegExp(`\\|\\s*${filter}\\b`));
    const message = `unknown filter "${filter}"${didYouMean(filter, FILTERS)}`;
    return { message, offset: at < 0 ? offset : text.indexOf(filter, offset + at) };
  }
  const tag = /^tag "(\w+)" not found$/.exec(said)?.[1];
  if (tag !== undefined) {
    const message = `unknown tag "${tag}"${didYouMean(tag, TAGS)}`;
    return { message, offset: Math.max(offset, text.indexOf(tag, offset)) };
  }
  const open = /^(output|tag) "?(?:\{\{|\{%)\s*(\w*).* not closed$/s.exec(said);
  if (open === null) return { message: said, offset };
  const [, kind, word = ''] = open;
  if (kind === 'output') return { message: '"{{" is not closed: "}}" is missing', offset };
  const whole = said.includes('%} not closed');
  return {
    message: whole
      ? `{% ${word} … %} is not closed: {% end${word} %} is missing`
      : '"{%" is not closed: "%}" is missing',
    offset,
  };
}
