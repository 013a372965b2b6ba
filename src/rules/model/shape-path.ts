import { didYouMean } from '../../errors/did-you-mean.js';
import { fieldHint } from './field-aliases.js';
import type { UserProblem } from '../../errors/user-problem.js';
import type { Shape } from './vocabulary.js';

/** The shape at a path; undefined when the path does not exist, or is known only at run time. */
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
  if ('tableOf' in shape) return shape.tableOf;
  if ('list' in shape) {
    if (typeof name === 'string' && !FIRST_AND_LAST.includes(name))
      return name === 'size' ? 'number' : undefined;
    return shape.list;
  }
  // A computed name (`device[field]`) is known only when the template renders.
  if (typeof name !== 'string') return 'any';
  return Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
}

/**
 * The problem with the first name of a path that does not exist, if any.
 *
 * @param root - The name of the record that the path starts at; empty for the names that stand alone.
 */
export function problemWithPath(
  from: Shape,
  path: readonly unknown[],
  root: string,
): UserProblem | undefined {
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

function hintForField(
  { fields }: { readonly fields: Readonly<Record<string, Shape>> },
  name: string,
  of: string,
): string | undefined {
  if (of === 'device') return fieldHint(name) || undefined;
  if (of === 'event') return name === 'device' ? ': write device' : undefined;
  // The outputs of a step are few.
  return of.startsWith('steps.') && didYouMean(name, Object.keys(fields)) === ''
    ? ` (it has ${Object.keys(fields).join(', ')})`
    : undefined;
}

/** The message for a column that a lookup does not have. */
export function unknownColumn(name: string, table: string, columns: readonly string[]): string {
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]+/g, '');
  const same = columns.find((column) => plain(column) === plain(name));
  const needsBrackets = same !== undefined && !/^[A-Za-z_]\w*$/.test(same);
  const hint = needsBrackets
    ? `: write lookup.${table}[…]["${same}"]`
    : didYouMean(name, columns) || ` (columns: ${columns.join(', ')})`;
  return `lookup.${table} has no column "${name}"${hint}`;
}

/** The message for a lookup that no rule file defines. */
export function unknownLookup(name: string, known: readonly string[]): string {
  const hint = didYouMean(name, known);
  return `there is no lookup "${name}"${hint === '' ? ': define it under "lookups:" in a rule file' : hint}`;
}

function problemWithName(shape: Shape, name: string, of: string): UserProblem | undefined {
  if (typeof shape === 'object' && 'fields' in shape) {
    const hint = didYouMean(name, Object.keys(shape.fields));
    if (of === '' && name === 'env')
      return {
        code: 'rule/env-misplaced',
        message: 'unknown name "env": write ${env:NAME}, outside of {{ }}',
      };
    if (of === '' && (name === 'secrets' || name === 'vars'))
      return {
        code: 'rule/env-misplaced',
        message: `unknown name "${name}": write \${env:NAME}, outside of {{ }}`,
      };
    if (of === '' && name !== 'item' && Object.hasOwn(shape.fields, 'item'))
      return { code: 'rule/unknown-name', message: `unknown name "${name}": the item of for_each is "item"` };
    if (of === '' && name === 'item')
      return {
        code: 'rule/unknown-name',
        message: 'unknown name "item": only a step with for_each has an item',
      };
    if (of === '')
      return { code: 'rule/unknown-name', message: `unknown name "${name}"${fieldHint(name) || hint}` };
    if (of === 'lookup')
      return { code: 'rule/unknown-name', message: unknownLookup(name, Object.keys(shape.fields)) };
    const table =
      /^lookup\.(\w+)\[/.exec(of)?.[1] ?? (of.startsWith('lookup.') ? of.split('.')[1] : undefined);
    if (table !== undefined)
      return {
        code: 'rule/unknown-field',
        message: unknownColumn(name, table, Object.keys(shape.fields)),
      };
    return of === 'steps'
      ? { code: 'rule/unknown-step', message: `no earlier step has the id "${name}"${hint}` }
      : {
          code: 'rule/unknown-field',
          message: `unknown field "${name}" of ${of}${hintForField(shape, name, of) ?? hint}`,
        };
  }
  // Liquid also has the size of a text.
  if (name === 'size') return undefined;
  const what =
    typeof shape === 'object' ? ('oneOf' in shape ? 'text' : 'list') : shape === 'string' ? 'text' : shape;
  const fix =
    what === 'list'
      ? ': write {% for x in … %}{{ x.name }}{% endfor %}, or use .first, .last, [0], .size'
      : '';
  return { code: 'rule/unknown-field', message: `${of} is a ${what} and has no "${name}"${fix}` };
}
