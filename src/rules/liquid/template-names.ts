import { TypeGuards, analyzeSync } from 'liquidjs';
import type { Template as LiquidTemplate, Variable } from 'liquidjs';
import type { ExpressionProblem } from '../model/problem.js';
import { problemWithPath, shapeAt } from '../model/shape-path.js';
import type { NamedField, Shape } from '../model/vocabulary.js';

/** The names in a template: the paths that start outside of it, and the problems with any of them. */
export interface TemplateNames {
  /** Paths such as `device`, `name`, and their offsets. A part in brackets that is known only at run time is not a string. */
  readonly paths: readonly { readonly path: readonly unknown[]; readonly offset: number }[];
  readonly problems: readonly ExpressionProblem[];
}

type Shapes = Readonly<Record<string, Shape>>;

/** A `{% for … %}` of a template: its variable is known between two offsets. */
interface Loop {
  readonly variable: string;
  readonly item: Shape;
  readonly from: number;
  readonly to: number;
}

/**
 * Finds the names in a parsed template and checks them. Variables of loops are checked as items of their lists; variables of `assign` and
 * `capture` are not checked.
 *
 * @param shapes - The available names.
 */
export function namesInTemplate(parsed: LiquidTemplate[], text: string, shapes: Shapes): TemplateNames {
  const analysis = analyzeSync(parsed, { partials: false });
  const offsetOf = ({ location: { row, col } }: Variable): number => offsetOfPosition(text, row, col);
  const globals = Object.values(analysis.globals).flat();
  const globalOffsets = new Set(globals.map(offsetOf));
  const loops = loopsIn(parsed, shapes, []);
  const problems = Object.values(analysis.variables)
    .flat()
    .flatMap((variable): ExpressionProblem[] => {
      const offset = offsetOf(variable);
      const [name, ...rest] = variable.segments;
      const loop = loopAround(loops, name, offset);
      if (loop === undefined && !globalOffsets.has(offset)) return [];
      const problem =
        loop === undefined
          ? problemWithPath({ fields: shapes }, variable.segments, '')
          : problemWithPath(loop.item, rest, loop.variable);
      return problem === undefined ? [] : [{ ...problem, offset }];
    });
  return {
    paths: globals.map((variable) => ({ path: variable.segments, offset: offsetOf(variable) })),
    problems,
  };
}

/** The innermost loop whose variable has this name at an offset. */
function loopAround(loops: readonly Loop[], name: unknown, offset: number): Loop | undefined {
  return loops.findLast(({ variable, from, to }) => variable === name && offset >= from && offset < to);
}

function loopsIn(templates: readonly LiquidTemplate[], shapes: Shapes, outer: readonly Loop[]): Loop[] {
  return templates.flatMap((template) => {
    const inner = childrenOf(template);
    const loop = loopOf(template, inner, shapes, outer);
    const loops = loop === undefined ? outer : [...outer, loop];
    return [...(loop === undefined ? [] : [loop]), ...loopsIn(inner, shapes, loops)];
  });
}

function loopOf(
  template: LiquidTemplate,
  inner: readonly LiquidTemplate[],
  shapes: Shapes,
  outer: readonly Loop[],
): Loop | undefined {
  if (!('variable' in template) || !('collection' in template)) return undefined;
  const { variable, collection, token } = template;
  if (typeof variable !== 'string') return undefined;
  const [name, ...rest] = pathOfCollection(collection);
  const around = loopAround(outer, name, token.begin);
  const list =
    around === undefined ? shapeAt({ fields: shapes }, [name, ...rest]) : shapeAt(around.item, rest);
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

/** The path of the list of a loop. The result of a filter or a range has no path. */
function pathOfCollection(collection: unknown): unknown[] {
  if (!TypeGuards.isPropertyAccessToken(collection) || collection.variable !== undefined) return [];
  return collection.props.map((part) =>
    TypeGuards.isWordToken(part) || TypeGuards.isQuotedToken(part) || TypeGuards.isNumberToken(part)
      ? part.content
      : undefined,
  );
}

/** The fields that a template reads from the record at a path. */
export function fieldsInTemplate(record: string, { paths }: TemplateNames, text: string): NamedField[] {
  const depth = record.split('.').length;
  return paths.flatMap(({ path, offset }) => {
    const name = path[depth];
    if (typeof name !== 'string' || path.slice(0, depth).join('.') !== record) return [];
    const at = text.indexOf(name, offset + record.length);
    return [{ name, offset: at < 0 ? offset : at }];
  });
}

/**
 * The offset of a position in a text.
 *
 * @param row - From 1.
 * @param col - From 1.
 */
export function offsetOfPosition(text: string, row: number, col: number): number {
  const before = text.split('\n').slice(0, row - 1);
  return before.reduce((sum, line) => sum + line.length + 1, 0) + col - 1;
}
