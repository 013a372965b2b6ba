import { randomInt } from 'node:crypto';
import { isNativeError } from 'node:util/types';
import type { Template as LiquidTemplate } from 'liquidjs';
import { envReferencesIn } from '../../config/env-reference.js';
import { didYouMean } from '../../errors/did-you-mean.js';
import { errorText } from '../../telemetry/error-text.js';
import { engineFor } from './engine.js';
import { VALUE_IN_ORIGIN } from './place-encoding.js';
import { encodeForPlace } from './text-place.js';
import type { TextPlace } from './text-place.js';
import type { ExpressionProblem } from '../model/problem.js';
import type { Values } from '../model/values.js';
import { ATTRIBUTE_PATHS, EVENT_DATA_PATH, factOfPath } from '../model/vocabulary.js';
import type { NamedField, NamedReference, Shape } from '../model/vocabulary.js';
import { filterHint, syntaxHint, tagHint } from './template-hints.js';
import { fieldsInTemplate, namesInTemplate, offsetOfPosition } from './template-names.js';
import type { TemplateNames } from './template-names.js';
import { withLookupDrops } from './lookup-drop.js';

/** A compiled Liquid template. */
export interface Template {
  /** The first name of every variable in it. */
  readonly names: ReadonlySet<string>;
  /** The paths that it reads, up to the first part that is known only at run time. */
  readonly paths: readonly (readonly string[])[];
  /** The objects that it refers to by name. */
  readonly references: readonly NamedReference[];
  /** The fields of `event.data` that it reads. */
  readonly eventData: readonly NamedField[];
  /**
   * Renders the template. `${env:NAME}` is resolved only where the author of the rule wrote it. In a value it stays plain text:
   * otherwise a device with the name `${env:TOKEN}` could get the token.
   *
   * @throws Error that names the part that failed to render. A template never renders partially.
   */
  readonly render: (values: Values, env: NodeJS.ProcessEnv) => string;
  /**
   * Renders what can be rendered: a value that does not exist is empty. For a text that must go out in any case.
   *
   * @throws Error as `render`, when the text fails for another reason.
   */
  readonly renderAvailable: (values: Values, env: NodeJS.ProcessEnv) => string;
}

/** No message, script argument or request needs more. Repeated captures could double a text many times. */
const MAX_LENGTH = 1_000_000;

const ENV_REFERENCE = /\$\{env:[A-Za-z_][A-Za-z0-9_]*\}/g;

/** Whether a text is a template. */
export function isTemplate(text: string): boolean {
  return text.includes('{{') || text.includes('{%');
}

/**
 * Compiles a Liquid template and checks the names in it.
 *
 * @param shapes - The available names.
 * @param place - Where the text goes: values are encoded for it.
 */
export function compileTemplate(
  text: string,
  shapes: Readonly<Record<string, Shape>>,
  place: TextPlace = 'text',
): Template | ExpressionProblem[] {
  const engine = engineFor(place);
  const misplaced = [...envWithinBraces(text), ...(place === 'url' ? valueInOrigin(text) : [])];
  if (misplaced.length > 0) return misplaced;
  const placeholders = withPlaceholders(text);
  let parsed: LiquidTemplate[];
  let names: TemplateNames;
  try {
    parsed = engine.parse(placeholders.text);
    names = namesInTemplate(parsed, placeholders.text, shapes);
  } catch (error) {
    return [explainTemplateError(error, placeholders.text)];
  }
  if (names.problems.length > 0) {
    // `{{ "a" if x else "b" }}` reads as names.
    const [first] = names.problems;
    const hint = syntaxHint(partAround(placeholders.text, first?.offset ?? 0));
    if (first !== undefined && hint !== '' && /"(?:if|else|or|and)"/.test(first.message))
      return [
        { code: 'rule/invalid-template', message: `this is another language${hint}`, offset: first.offset },
      ];
    return [...names.problems];
  }
  const render = (values: Values, env: NodeJS.ProcessEnv, strictVariables: boolean): string => {
    try {
      const rendered = String(engine.renderSync(parsed, withLookupDrops(values), { strictVariables }));
      if (rendered.length > MAX_LENGTH) throw new Error(`the text exceeds ${MAX_LENGTH} characters`);
      const resolved = placeholders.resolve(rendered, env);
      return place === 'text' ? resolved : encodeForPlace(resolved, place);
    } catch (error) {
      throw new Error(messageOf(error), { cause: error });
    }
  };
  return {
    names: new Set(names.paths.map(({ path }) => factOfPath(path))),
    paths: names.paths.map(({ path }) => namesOf(path)),
    references: ATTRIBUTE_PATHS.flatMap((path) => fieldsInTemplate(path, names, text)).map(
      ({ name, offset }) => ({
        kind: 'custom attribute',
        text: name,
        offset,
      }),
    ),
    eventData: fieldsInTemplate(EVENT_DATA_PATH, names, text),
    render: (values, env) => render(values, env, true),
    renderAvailable: (values, env) => render(values, env, false),
  };
}

/** The parts of a path before the first one that is not a name. */
function namesOf(path: readonly unknown[]): string[] {
  const end = path.findIndex((part) => typeof part !== 'string');
  return path.slice(0, end < 0 ? path.length : end).filter((part) => typeof part === 'string');
}

/** A URL that has not reached the first / behind its host. A variable may hold any part of one. */
const BEFORE_PATH = /^\s*(?:[a-z][a-z0-9+.-]*(?::\/{0,2}[^\\/?#${}]*)?)?$/i;

/** A value where the host of a URL is. What a tag or a variable decides is found when the template renders. */
function valueInOrigin(text: string): ExpressionProblem[] {
  const offset = text.search(/\{\{|\{%/);
  const before = text.slice(0, Math.max(offset, 0));
  if (!text.startsWith('{{', offset) || !BEFORE_PATH.test(before)) return [];
  return [{ code: 'rule/value-in-host', message: VALUE_IN_ORIGIN, offset }];
}

/** Within braces, filters would get the placeholder of a variable instead of its value. */
function envWithinBraces(text: string): ExpressionProblem[] {
  return [...text.matchAll(/\{\{.*?\}\}|\{%.*?%\}/gs)].flatMap(({ 0: part, index }) =>
    [...part.matchAll(ENV_REFERENCE)].map(({ 0: reference, index: within }) => ({
      code: 'rule/env-misplaced' as const,
      message: `${reference} does not work within {{ }} and {% %}: write it outside of the braces (if a filter must encode it, store the encoded value in the variable)`,
      offset: index + within,
    })),
  );
}

/**
 * Replaces each `${env:NAME}` of the author by a random placeholder of the same length. Rendering then leaves the same text in a value
 * alone, and positions in error messages stay right.
 */
function withPlaceholders(text: string): {
  text: string;
  resolve: (rendered: string, env: NodeJS.ProcessEnv) => string;
} {
  const names = new Map<string, string>();
  const replaced = text.replace(ENV_REFERENCE, (reference) => {
    const placeholder = Array.from({ length: reference.length }, () =>
      String.fromCharCode(0xe000 + randomInt(0x1900)),
    ).join('');
    names.set(placeholder, envReferencesIn(reference)[0] ?? '');
    return placeholder;
  });
  return {
    text: replaced,
    resolve: (rendered, env) => {
      let resolved = rendered;
      for (const [placeholder, name] of names) {
        const value = env[name];
        if (value === undefined) throw new Error(`the environment variable ${name} is not set`);
        resolved = resolved.split(placeholder).join(value);
      }
      return resolved;
    },
  };
}

/** The message of the library without its position: ours is in the file. */
function messageOf(error: unknown): string {
  return errorText(error).replace(/, (?:file:.*?, )?line:\d+, col:\d+$/, '');
}

/** The output or the tag around an offset, with its braces. */
function partAround(text: string, offset: number): string {
  const parts = [...text.matchAll(/\{\{.*?\}\}|\{%.*?%\}/gs)];
  return parts.find(({ 0: part, index }) => offset >= index && offset < index + part.length)?.[0] ?? '';
}

const TAGS = Object.keys(engineFor('text').tags);
const FILTERS = Object.keys(engineFor('text').filters);

/** Explains an error of the Liquid library to the author of a rule, at the offset of the wrong word. */
function explainTemplateError(error: unknown, text: string): ExpressionProblem {
  const position = isNativeError(error) ? /line:(\d+), col:(\d+)$/.exec(error.message) : null;
  const offset = position === null ? 0 : offsetOfPosition(text, Number(position[1]), Number(position[2]));
  const summary = messageOf(error);
  const code = 'rule/invalid-template';
  const filter = /^undefined filter: (\w+)$/.exec(summary)?.[1];
  if (filter !== undefined) {
    const at = text.slice(offset).search(new RegExp(`\\|\\s*${filter}\\b`));
    const message = `unknown filter "${filter}"${filterHint(filter) || didYouMean(filter, FILTERS)}`;
    return { code, message, offset: at < 0 ? offset : text.indexOf(filter, offset + at) };
  }
  const tag = /^tag "(\w+)" not found$/.exec(summary)?.[1];
  if (tag !== undefined) {
    const message = `unknown tag "${tag}"${tagHint(tag) || didYouMean(tag, TAGS)}`;
    return { code, message, offset: Math.max(offset, text.indexOf(tag, offset)) };
  }
  const open = /^(output|tag) "?(?:\{\{|\{%)\s*(\w*).* not closed$/s.exec(summary);
  if (open === null) return { code, message: summary + syntaxHint(partAround(text, offset)), offset };
  const [, kind, word = ''] = open;
  if (kind === 'output') return { code, message: '"{{" is not closed: "}}" is missing', offset };
  const message = summary.includes('%} not closed')
    ? `{% ${word} … %} is not closed: {% end${word} %} is missing`
    : '"{%" is not closed: "%}" is missing';
  return { code, message, offset };
}
