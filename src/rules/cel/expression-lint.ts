import type { ASTNode } from '@marcbachmann/cel-js';
import { didYouMean } from '../../config/nearest-name.js';
import { BINDERS, operandsOf, memberPath } from './expression-paths.js';
import type { ExpressionProblem } from '../model/problem.js';
import { shapeAt } from '../shape-path.js';
import type { Shape } from '../model/vocabulary.js';

type Shapes = Readonly<Record<string, Shape>>;

/**
 * What is wrong with an expression that is one, of the right types, and can never be true: a text that the field never is, versions
 * compared letter by letter, a ratio above 1.
 */
export function lintExpression(node: ASTNode, shapes: Shapes): ExpressionProblem | undefined {
  const here = problemHere(node, shapes);
  if (here !== undefined) return here;
  const item = itemOf(node, shapes);
  for (const operand of operandsOf(node)) {
    const problem = lintExpression(operand, item === undefined ? shapes : { ...shapes, ...item });
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function problemHere(node: ASTNode, shapes: Shapes): ExpressionProblem | undefined {
  switch (node.op) {
    case '==':
    case '!=':
      return bothWays(
        node.args,
        (field, other) => neverIs(field, [other], shapes) ?? aboveOne(field, other, shapes),
      );
    case 'in': {
      const [field, list] = node.args;
      return list.op === 'list' ? neverIs(field, list.args, shapes) : undefined;
    }
    case '<':
    case '<=':
    case '>':
    case '>=':
      return bothWays(
        node.args,
        (field, other) => letterByLetter(node, field, other, shapes) ?? aboveOne(field, other, shapes),
      );
    default:
      return undefined;
  }
}

function bothWays(
  [left, right]: readonly [ASTNode, ASTNode],
  check: (field: ASTNode, other: ASTNode) => ExpressionProblem | undefined,
): ExpressionProblem | undefined {
  return check(left, right) ?? check(right, left);
}

/** `device.platform == "MacOS"` */
function neverIs(field: ASTNode, texts: readonly ASTNode[], shapes: Shapes): ExpressionProblem | undefined {
  const shape = shapeOfNode(field, shapes);
  if (typeof shape !== 'object' || !('oneOf' in shape)) return undefined;
  const { oneOf } = shape;
  for (const { op, args: text, range } of texts) {
    if (op !== 'value' || typeof text !== 'string' || oneOf.includes(text)) continue;
    const hint = didYouMean(text, oneOf);
    const message = `${written(field)} is never "${text}"${hint === '' ? ` (it is one of ${oneOf.join(', ')})` : hint}`;
    return { message, offset: range.start };
  }
  return undefined;
}

const VERSION_FIELD = /(^|_)version$/;

/** `device.os_version < "15.1"`: as texts, "9" comes after "15". */
function letterByLetter(
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
    message: `these are compared letter by letter: compare versions as ${left ?? ''} ${whole.op} ${right ?? ''}`,
    offset: whole.range.start,
  };
}

const RATIO_FIELD = '_ratio';

/** `device.capacity_free_ratio < 10` */
function aboveOne(field: ASTNode, other: ASTNode, shapes: Shapes): ExpressionProblem | undefined {
  const path = memberPath(field);
  if (path === undefined || path.at(-1)?.endsWith(RATIO_FIELD) !== true) return undefined;
  // A field of the sender's own may mean anything.
  if (shapeOfNode(field, shapes) !== 'number') return undefined;
  const given = other.op === 'value' ? Number(other.args) : Number.NaN;
  if (!(given > 1)) return undefined;
  const instead = given <= 100 ? `; write ${given / 100} for ${given} %` : '';
  return {
    message: `${path.join('.')} is a ratio, between 0 and 1${instead}`,
    offset: other.range.start,
  };
}

const written = ({ input, range }: ASTNode): string => input.slice(range.start, range.end).trim();

function shapeOfNode(node: ASTNode, shapes: Shapes): Shape | undefined {
  const path = memberPath(node);
  return path === undefined ? undefined : shapeAt({ fields: shapes }, path);
}

/** The name that `apps.exists(a, …)` binds, with what it stands for. */
function itemOf(node: ASTNode, shapes: Shapes): Shapes | undefined {
  if (node.op !== 'rcall') return undefined;
  const [name, receiver, [first]] = node.args;
  if (!BINDERS.has(name) || first?.op !== 'id') return undefined;
  const list = shapeOfNode(receiver, shapes);
  return { [first.args]: typeof list === 'object' && 'list' in list ? list.list : 'any' };
}
