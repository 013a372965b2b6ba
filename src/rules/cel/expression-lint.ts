import type { ASTNode } from '@marcbachmann/cel-js';
import { didYouMean } from '../../errors/did-you-mean.js';
import { BINDERS, operandsOf, memberPath } from './expression-paths.js';
import type { ExpressionProblem } from '../model/problem.js';
import { ATTRIBUTE_PATHS } from '../model/vocabulary.js';
import { shapeAt } from '../model/shape-path.js';
import type { Shape } from '../model/vocabulary.js';

type Shapes = Readonly<Record<string, Shape>>;

/**
 * Finds comparisons that are valid but cannot mean what they seem to: a text that the field never has, versions compared as texts,
 * a ratio above 1.
 */
export function lintExpression(node: ASTNode, shapes: Shapes): ExpressionProblem | undefined {
  const own = problemAtNode(node, shapes);
  if (own !== undefined) return own;
  const item = itemOf(node, shapes);
  for (const operand of operandsOf(node)) {
    const problem = lintExpression(operand, item === undefined ? shapes : { ...shapes, ...item });
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function problemAtNode(node: ASTNode, shapes: Shapes): ExpressionProblem | undefined {
  switch (node.op) {
    case '==':
    case '!=':
      return inEitherOrder(
        node.args,
        (field, other) =>
          impossibleText(field, [other], shapes) ??
          emptyAttribute(node, field, other) ??
          ratioAboveOne(field, other, shapes),
      );
    case 'in': {
      const [field, list] = node.args;
      return list.op === 'list' ? impossibleText(field, list.args, shapes) : undefined;
    }
    case '<':
    case '<=':
    case '>':
    case '>=':
      return inEitherOrder(
        node.args,
        (field, other) => versionAsText(node, field, other, shapes) ?? ratioAboveOne(field, other, shapes),
      );
    default:
      return undefined;
  }
}

function inEitherOrder(
  [left, right]: readonly [ASTNode, ASTNode],
  check: (field: ASTNode, other: ASTNode) => ExpressionProblem | undefined,
): ExpressionProblem | undefined {
  return check(left, right) ?? check(right, left);
}

/** `device.platform == "MacOS"` */
function impossibleText(
  field: ASTNode,
  texts: readonly ASTNode[],
  shapes: Shapes,
): ExpressionProblem | undefined {
  const shape = shapeOfNode(field, shapes);
  if (typeof shape !== 'object' || !('oneOf' in shape)) return undefined;
  const { oneOf } = shape;
  for (const { op, args: text, range } of texts) {
    if (op !== 'value' || typeof text !== 'string' || oneOf.includes(text)) continue;
    const hint = didYouMean(text, oneOf);
    const message = `${written(field)} is never "${text}"${hint === '' ? ` (it is one of ${oneOf.join(', ')})` : hint}`;
    return { code: 'rule/misleading-comparison', message, offset: range.start };
  }
  return undefined;
}

/** `attributes.department == ""`: an attribute without a value is null, whether it was never set or set to nothing. */
function emptyAttribute(whole: ASTNode, field: ASTNode, other: ASTNode): ExpressionProblem | undefined {
  if (other.op !== 'value' || other.args !== '') return undefined;
  const record =
    memberPath(field)?.slice(0, -1) ?? (field.op === '[]' ? memberPath(field.args[0]) : undefined);
  if (!ATTRIBUTE_PATHS.includes(record?.join('.') ?? '')) return undefined;
  return {
    code: 'rule/misleading-comparison',
    message: `a custom attribute without a value is null, not "": write ${written(field)} ${whole.op} null`,
    offset: whole.range.start,
  };
}

const VERSION_FIELD = /(^|_)version$/;

/** `device.os_version < "15.1"`: as texts, "9" comes after "15". */
function versionAsText(
  whole: ASTNode,
  field: ASTNode,
  other: ASTNode,
  shapes: Shapes,
): ExpressionProblem | undefined {
  if (!VERSION_FIELD.test(memberPath(field)?.at(-1) ?? '') || shapeOfNode(field, shapes) !== 'string')
    return undefined;
  const isText =
    other.op === 'value' ? typeof other.args === 'string' : shapeOfNode(other, shapes) === 'string';
  if (!isText) return undefined;
  const [left, right] = operandsOf(whole).map((side) => `version(${written(side)})`);
  return {
    code: 'rule/misleading-comparison',
    message: `this compares the versions as texts, letter by letter: write ${left ?? ''} ${whole.op} ${right ?? ''}`,
    offset: whole.range.start,
  };
}

const RATIO_FIELD = '_ratio';

/** `device.capacity_free_ratio < 10` */
function ratioAboveOne(field: ASTNode, other: ASTNode, shapes: Shapes): ExpressionProblem | undefined {
  const path = memberPath(field);
  if (path === undefined || path.at(-1)?.endsWith(RATIO_FIELD) !== true) return undefined;
  // A field that we do not define may have any range.
  if (shapeOfNode(field, shapes) !== 'number') return undefined;
  const given = other.op === 'value' ? Number(other.args) : Number.NaN;
  if (!(given > 1)) return undefined;
  const fix = given <= 100 ? `; write ${given / 100} for ${given} %` : '';
  return {
    code: 'rule/misleading-comparison',
    message: `${path.join('.')} is a ratio between 0 and 1${fix}`,
    offset: other.range.start,
  };
}

const written = ({ input, range }: ASTNode): string => input.slice(range.start, range.end).trim();

function shapeOfNode(node: ASTNode, shapes: Shapes): Shape | undefined {
  const path = memberPath(node);
  return path === undefined ? undefined : shapeAt({ fields: shapes }, path);
}

/** The name that `apps.exists(a, …)` binds, and its shape. */
function itemOf(node: ASTNode, shapes: Shapes): Shapes | undefined {
  if (node.op !== 'rcall') return undefined;
  const [name, receiver, [first]] = node.args;
  if (!BINDERS.has(name) || first?.op !== 'id') return undefined;
  const list = shapeOfNode(receiver, shapes);
  return { [first.args]: typeof list === 'object' && 'list' in list ? list.list : 'any' };
}
