import { TypeGuards, analyzeSync } from 'liquidjs';
import type { Template as LiquidTemplate, Variable } from 'liquidjs';
import { didYouMean } from '../config/nearest-name.js';
import type { ExpressionProblem } from './problem.js';
import type { Shape } from './vocabulary.js';

/** What a text names: the paths that come from outside it, and what is wrong with any. */
export interface TemplateNames {
  /** Such as `device`, `name`; a part in brackets that is known only when the text is filled in is no text. */
  readonly paths: readonly (readonly unknown[])[];
  readonly problems: readonly ExpressionProblem[];
}

type Shapes = Readonly<Record<string, Shape>>;

/** A `{% for … %}` of a text: its variable is known within it. */
interface Loop {
  readonly variable: string;
  readonly item: Shape;
  readonly from: number;
  readonly to: number;
}

/**
 * Finds the names in a parsed text and checks them; those of loops are checked as items of their lists. What `assign` and `capture` make is
 * not checked.
 *
 * @param shapes - The names that may stand here.
 */
export function namesInTemplate(parsed: LiquidTemplate[], text: string, shapes: Shapes): TemplateNames {
  const analysis = analyzeSync(parsed, { partials: false });
  const offsetOf = ({ location: { row, col } }: Variable): number => offsetOfPlace(text, row, col);
  const outside = Object.values(analysis.globals).flat();
  const outer = new Set(outside.map(offsetOf));
  const loops = loopsIn(parsed, shapes, []);
  const problems = Object.values(analysis.variables)
    .flat()
    .flatMap((variable): ExpressionProblem[] => {
      const offset = offsetOf(variable);
      const [name, ...rest] = variable.segments;
      const loop = loopAround(loops, name, offset);
      if (loop === undefined && !outer.has(offset)) return [];
      const message =
        loop === undefined
          ? problemWithPath({ fields: shapes }, variable.segments, '')
          : problemWithPath(loop.item, rest, loop.variable);
      return message === undefined ? [] : [{ message, offset }];
    });
  return { paths: outside.map(({ segments }) => segments), problems };
}

/** The innermost loop that a name at a place belongs to. */
function loopAround(loops: readonly Loop[], name: unknown, offset: number): Loop | undefined {
  return loops.findLast(({ variable, from, to }) => variable === name && offset >= from && offset < to);
}

function loopsIn(templates: readonly LiquidTemplate[], shapes: Shapes, around: readonly Loop[]): Loop[] {
  return templates.flatMap((template) => {
    const inner = childrenOf(template);
    const loop = loopOf(template, inner, shapes, around);
    const known = loop === undefined ? around : [...around, loop];
    return [...(loop === undefined ? [] : [loop]), ...loopsIn(inner, shapes, known)];
  });
}

function loopOf(
  template: LiquidTemplate,
  inner: readonly LiquidTemplate[],
  shapes: Shapes,
  around: readonly Loop[],
): Loop | undefined {
  if (!('variable' in template) || !('collection' in template)) return undefined;
  const { variable, collection, token } = template;
  if (typeof variable !== 'string') return undefined;
  const [name, ...rest] = pathOfCollection(collection);
  const outer = loopAround(around, name, token.begin);
  const list = outer === undefined ? shapeAt({ fields: shapes }, [name, ...rest]) : shapeAt(outer.item, rest);
  const item = list !== undefined && typeof list === 'object' && 'list' in list ? list.list : 'any';
  return { variable, item, from: token.end, to: Math.max(token.end, ...inner.map(endOf)) };
}

function endOf(template: LiquidTemplate): number {
  return Math.max(template.token.end, ...childrenOf(template).map(endOf));
}

function childrenOf(template: LiquidTemplate): readonly LiquidTemplate[] {
  const children = template.children?.(false, true);
  if (children === undefined) return [];
  let step = children.next();
  while (step.done !== true) step = children.next(step.value);
  return step.value;
}

/** The path of a loop's list; a list that is made by a filter or a range has none. */
function pathOfCollection(collection: unknown): unknown[] {
  if (!TypeGuards.isPropertyAccessToken(collection) || collection.variable !== undefined) return [];
  return collection.props.map((part) =>
    TypeGuards.isWordToken(part) || TypeGuards.isQuotedToken(part) || TypeGuards.isNumberToken(part)
      ? part.content
      : undefined,
  );
}

/** The shape of what a path names; undefined when there is none, or when it is known only at run time. */
function shapeAt(shape: Shape, path: readonly unknown[]): Shape | undefined {
  return path.reduce<Shape | undefined>(
    (outer, name) => (outer === undefined ? undefined : innerShape(outer, name)),
    shape,
  );
}

const FIRST_AND_LAST: readonly unknown[] = ['first', 'last'];

function innerShape(shape: Shape, name: unknown): Shape | undefined {
  if (typeof shape === 'string') return shape === 'any' ? 'any' : undefined;
  if ('mapOf' in shape) return shape.mapOf;
  if ('list' in shape) {
    if (typeof name === 'string' && !FIRST_AND_LAST.includes(name))
      return name === 'size' ? 'number' : undefined;
    return shape.list;
  }
  // A computed name (`device[field]`) is known only when the text is filled in.
  if (typeof name !== 'string') return 'any';
  return Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
}

function problemWithPath(from: Shape, path: readonly unknown[], root: string): string | undefined {
  let shape = from;
  let walked = root;
  for (const name of path) {
    const inner = innerShape(shape, name);
    if (inner === undefined) return problemWithName(shape, String(name), walked);
    walked +=
      typeof name === 'string'
        ? `${walked === '' ? '' : '.'}${name}`
        : `[${typeof name === 'number' ? name : '…'}]`;
    shape = inner;
  }
  return undefined;
}

function problemWithName(shape: Shape, name: string, of: string): string | undefined {
  if (typeof shape === 'object' && 'fields' in shape) {
    const hint = didYouMean(name, Object.keys(shape.fields));
    if (of === '') return `unknown name "${name}"${hint}`;
    return of === 'steps'
      ? `no earlier step is called "${name}"${hint}`
      : `unknown field "${name}" of ${of}${hint}`;
  }
  // The length of a text; what else a text is asked for is a mistake.
  if (name === 'size') return undefined;
  const what = typeof shape === 'object' ? 'list' : shape === 'string' ? 'text' : shape;
  const instead =
    what === 'list'
      ? ': write {% for one in … %}{{ one.name }}{% endfor %}, or take .first, .last, [0], .size'
      : '';
  return `${of} is a ${what} and has no "${name}"${instead}`;
}

/** @param row - From 1. @param col - From 1. */
export function offsetOfPlace(text: string, row: number, col: number): number {
  const before = text.split('\n').slice(0, row - 1);
  return before.reduce((sum, line) => sum + line.length + 1, 0) + col - 1;
}
