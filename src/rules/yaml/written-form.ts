import { isAlias, isCollection, isMap, isNode, isPair, isScalar, isSeq, visit } from 'yaml';
import type { Document, Scalar } from 'yaml';
import type { Path } from '../model/problem.js';
import type { YamlProblem } from './yaml-problem.js';

/** How the file writes what YAML reads as a number, a truth value or nothing: `000123`, `26.10`, `True`. */
export interface WrittenForms {
  /**
   * The text of a bare number or truth value exactly as written. The caller uses the text, so that the number counts as taken.
   *
   * @returns Undefined when the value at the path is something else.
   */
  readonly takeText: (path: Path) => string | undefined;
  /** The numbers that nothing took as a text, and that read differently when they are written again. */
  readonly lost: () => YamlProblem[];
}

/** Reads the written forms of a parsed file. */
export function openWrittenForms(document: Document): WrittenForms {
  const taken = new Set<Scalar>();
  return {
    takeText: (path) => {
      const scalar = scalarOfArgument(document, path);
      if (scalar === undefined || !isNumberOrBoolean(scalar)) return undefined;
      taken.add(scalar);
      return scalar.source;
    },
    lost: () => {
      const problems: YamlProblem[] = [];
      visit(document, {
        Scalar: (_key, scalar) => {
          const { value, source, range } = scalar;
          if (typeof value !== 'number' || source === undefined || taken.has(scalar)) return;
          if (String(value) === source) return;
          problems.push({
            code: 'rule/needs-quotes',
            message: lostText(source, value),
            offset: range?.[0] ?? 0,
          });
        },
      });
      return problems;
    },
  };
}

function lostText(written: string, value: number): string {
  const plain = String(value);
  // Neither of them is a number that JSON or a rule can have.
  const asNumber = /^-?\d+(?:\.\d+)?$/.test(plain) && Number.isFinite(value) ? `, or write ${plain}` : '';
  return `YAML reads ${written} as the number ${plain}: put it in quotes if it is a text: "${written}"${asNumber}`;
}

function isNumberOrBoolean({ type, value, source }: Scalar): boolean {
  return (
    type === 'PLAIN' && source !== undefined && (typeof value === 'number' || typeof value === 'boolean')
  );
}

/** The scalar at a path. In `log: 007` the scalar also stands for the one argument of the action. */
function scalarOfArgument(document: Document, path: Path): Scalar | undefined {
  const node = nodeAt(document, path);
  if (node !== undefined || path.length === 0) return isScalar(node) ? node : undefined;
  const outer = nodeAt(document, path.slice(0, -1));
  return isScalar(outer) ? outer : undefined;
}

/** The node at a path, through aliases. */
function nodeAt(document: Document, path: Path): unknown {
  let node = resolved(document, document.contents);
  for (const part of path) {
    if (!isCollection(node)) return undefined;
    const found: unknown = isSeq(node)
      ? node.items[Number(part)]
      : isMap(node)
        ? node.items.find((pair) => isPair(pair) && isScalar(pair.key) && pair.key.value === part)?.value
        : undefined;
    node = resolved(document, found);
  }
  return node;
}

function resolved(document: Document, node: unknown): unknown {
  if (isAlias(node)) return node.resolve(document);
  return isNode(node) ? node : undefined;
}
