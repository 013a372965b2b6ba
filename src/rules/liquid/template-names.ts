import { TypeGuards, analyzeSync } from 'liquidjs';
import type { Template as LiquidTemplate, Variable } from 'liquidjs';
import type { NamedField } from '../cel/expression-paths.js';
import type { ExpressionProblem } from '../model/problem.js';
import { problemWithPath, shapeAt } from '../shape-path.js';
import type { Shape } from '../model/vocabulary.js';

/** What a text names: the paths that come from outside it, and what is wrong with any. */
export interface TemplateNames {
  /** Such as `device`, `name`, and where it begins; a part in brackets that is known only when the text is filled in is no text. */
  readonly paths: readonly { readonly path: readonly unknown[]; readonly offset: number }[];
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
  return {
    paths: outside.map((variable) => ({ path: variable.segments, offset: offsetOf(variable) })),
    problems,
  };
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

/** The names that a text takes of the record at a path. */
export function fieldsNamedOf(record: string, { paths }: TemplateNames, text: string): NamedField[] {
  const depth = record.split('.').length;
  return paths.flatMap(({ path, offset }) => {
    const name = path[depth];
    if (typeof name !== 'string' || path.slice(0, depth).join('.') !== record) return [];
    const at = text.indexOf(name, offset + record.length);
    return [{ name, offset: at < 0 ? offset : at }];
  });
}

/** @param row - From 1. @param col - From 1. */
export function offsetOfPlace(text: string, row: number, col: number): number {
  const before = text.split('\n').slice(0, row - 1);
  return before.reduce((sum, line) => sum + line.length + 1, 0) + col - 1;
}
