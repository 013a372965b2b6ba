import { didYouMean } from '../config/nearest-name.js';
import type { Shape } from './model/vocabulary.js';

/** The shape of what a path names; undefined when there is none, or when it is known only at run time. */
export function shapeAt(shape: Shape, path: readonly unknown[]): Shape | undefined {
  return path.reduce<Shape | undefined>(
    (outer, name) => (outer === undefined ? undefined : innerShape(outer, name)),
    shape,
  );
}

const FIRST_AND_LAST: readonly unknown[] = ['first', 'last'];

function innerShape(shape: Shape, name: unknown): Shape | undefined {
  if (typeof shape === 'string') return shape === 'any' ? 'any' : undefined;
  if ('oneOf' in shape) return undefined;
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

/**
 * What is wrong with the first name of a path that nothing has, if anything.
 *
 * @param root - What the path begins at is called; nothing for the names that stand alone.
 */
export function problemWithPath(from: Shape, path: readonly unknown[], root: string): string | undefined {
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
    if (of === '' && name === 'env') return 'unknown name "env": write ${env:NAME}, outside of {{ }}';
    if (of === '') return `unknown name "${name}"${hint}`;
    return of === 'steps'
      ? `no earlier step is called "${name}"${hint}`
      : `unknown field "${name}" of ${of}${hint}`;
  }
  // The length of a text; what else a text is asked for is a mistake.
  if (name === 'size') return undefined;
  const what =
    typeof shape === 'object' ? ('oneOf' in shape ? 'text' : 'list') : shape === 'string' ? 'text' : shape;
  const instead =
    what === 'list'
      ? ': write {% for one in … %}{{ one.name }}{% endfor %}, or take .first, .last, [0], .size'
      : '';
  return `${of} is a ${what} and has no "${name}"${instead}`;
}
