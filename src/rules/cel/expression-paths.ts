import type { ASTNode } from '@marcbachmann/cel-js';
import type { NamedField } from '../model/vocabulary.js';
import { LOOKUP } from '../model/vocabulary.js';
import { GROUP_PATHS, IN_GROUP } from './functions.js';

/** Macros whose first argument defines a name. */
export const BINDERS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter', 'map', 'bind']);

/** Every path in an expression that starts at a free name, such as `device.firewall.enabled`, in its longest form. */
export function pathsIn(node: ASTNode, bound: ReadonlySet<string> = new Set()): string[][] {
  const chain = memberPath(node);
  if (chain !== undefined) return bound.has(chain[0] ?? '') ? [] : [chain];
  if (node.op === 'rcall') {
    const [name, receiver, args] = node.args;
    const first = args[0];
    const inner = BINDERS.has(name) && first?.op === 'id' ? new Set([...bound, first.args]) : bound;
    return [...pathsIn(receiver, bound), ...args.flatMap((argument) => pathsIn(argument, inner))];
  }
  const inner = operandsOf(node).flatMap((operand) => pathsIn(operand, bound));
  return [...inner, ...groupPaths(node)];
}

/** The facts that a function on groups reads. A number names a device group, so the assignment groups are not looked up for it. */
function groupPaths(node: ASTNode): string[][] {
  if (node.op !== 'call') return [];
  const [name, args] = node.args;
  const paths = Object.hasOwn(GROUP_PATHS, name) ? (GROUP_PATHS[name] ?? []) : [];
  const isNumber = name === IN_GROUP && args[0]?.op === 'value' && typeof args[0].args !== 'string';
  return paths.slice(0, isNumber ? 1 : undefined).map((path) => [...path]);
}

/** The direct operands of a node. */
export function operandsOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return [];
    case '.':
    case '.?':
      return [node.args[0]];
    case 'call':
      return node.args[1];
    case 'rcall':
      return [node.args[1], ...node.args[2]];
    case 'map':
      return node.args.flat();
    case '!_':
    case '-_':
      return [node.args];
    default:
      return node.args;
  }
}

/** The path of a member access such as `device.name`; undefined for any other node. */
export function memberPath(node: ASTNode): string[] | undefined {
  if (node.op === 'id') return [node.args];
  if (node.op !== '.' && node.op !== '.?') return undefined;
  const receiver = memberPath(node.args[0]);
  return receiver === undefined ? undefined : [...receiver, node.args[1]];
}

/**
 * The paths whose null may leave an expression undecided: all but those only compared with null or tested by `has(…)`. Includes
 * `device["name"]`.
 */
export function undecidedPaths(node: ASTNode, bound: ReadonlySet<string> = new Set()): string[][] {
  if (isNullTest(node)) return lookupKeysIn(node).flatMap((key) => undecidedPaths(key, bound));
  const chain = accessPath(node);
  if (chain !== undefined) return bound.has(chain[0] ?? '') ? [] : [chain];
  if (node.op === 'rcall') {
    const [name, receiver, args] = node.args;
    const first = args[0];
    const inner = BINDERS.has(name) && first?.op === 'id' ? new Set([...bound, first.args]) : bound;
    return [
      ...undecidedPaths(receiver, bound),
      ...args.flatMap((argument) => undecidedPaths(argument, inner)),
    ];
  }
  return operandsOf(node).flatMap((operand) => undecidedPaths(operand, bound));
}

/** The keys of lookups, such as `device.serial_number`: a null key leaves `lookup.staff[device.serial_number] == null` undecided too. */
function lookupKeysIn(node: ASTNode): ASTNode[] {
  const inner = operandsOf(node).flatMap(lookupKeysIn);
  if (node.op !== '[]' || memberPath(node.args[0])?.[0] !== LOOKUP) return inner;
  return [node.args[1], ...inner];
}

/** Whether a node asks for null, so that a null decides it. */
function isNullTest(node: ASTNode): boolean {
  if (node.op === 'call') return node.args[0] === 'has';
  if (node.op !== '==' && node.op !== '!=') return false;
  return node.args.some((operand) => operand.op === 'value' && operand.args === null);
}

/** Like {@link memberPath}, and also for `device["name"]`. */
function accessPath(node: ASTNode): string[] | undefined {
  if (node.op === 'id') return [node.args];
  if (node.op === '.' || node.op === '.?') {
    const receiver = accessPath(node.args[0]);
    return receiver === undefined ? undefined : [...receiver, node.args[1]];
  }
  if (node.op !== '[]' && node.op !== '[?]') return undefined;
  const [record, key] = node.args;
  if (key.op !== 'value' || typeof key.args !== 'string') return undefined;
  const receiver = accessPath(record);
  return receiver === undefined ? undefined : [...receiver, key.args];
}

/** A read of a lookup: the row, and what is read of the row, both as written. */
export interface LookupRead {
  readonly row: string;
  readonly whole: string;
}

/** The reads of lookups, such as `lookup.staff[device.serial_number].department`. */
export function lookupReadsIn(node: ASTNode, whole: ASTNode = node): LookupRead[] {
  const written = ({ input, range }: ASTNode): string => input.slice(range.start, range.end).trim();
  const isAccess = node.op === '.' || node.op === '[]';
  if (!isAccess) return operandsOf(node).flatMap((operand) => lookupReadsIn(operand));
  const [receiver, key] = node.args;
  const inner = typeof key === 'string' ? [] : lookupReadsIn(key);
  const isRow =
    node.op === '[]' && memberPath(receiver)?.length === 2 && memberPath(receiver)?.[0] === LOOKUP;
  return isRow
    ? [{ row: written(node), whole: written(whole) }, ...inner]
    : [...lookupReadsIn(receiver, whole), ...inner];
}

/** The paths whose last name may be missing from its record: all but those within `has(…)`. */
export function optionalPaths(node: ASTNode): string[][] {
  const tested = new Set(
    hasArguments(node)
      .flatMap((argument) => pathsIn(argument))
      .map((path) => path.join('.')),
  );
  return pathsIn(node).filter((path) => path.length > 1 && !tested.has(path.join('.')));
}

function hasArguments(node: ASTNode): ASTNode[] {
  if (node.op === 'call' && node.args[0] === 'has') return node.args[1];
  return operandsOf(node).flatMap(hasArguments);
}

/** The structure of a node without its positions, to compare two nodes. */
export function structure(node: ASTNode): string {
  return JSON.stringify(node.toOldStructure(), (key, value: unknown) => {
    if (key === 'pos' || key === 'start' || key === 'end' || key === 'input' || key === 'range')
      return undefined;
    return typeof value === 'bigint' ? `${value}n` : value;
  });
}

/** The operands of `a && b && c`. */
export function conjuncts(node: ASTNode): ASTNode[] {
  return node.op === '&&' ? node.args.flatMap(conjuncts) : [node];
}

/** The literal texts that a function is called with, and their offsets. */
export function literalArgumentsOf(
  name: string,
  node: ASTNode,
): { readonly text: string; readonly offset: number }[] {
  const inner = operandsOf(node).flatMap((operand) => literalArgumentsOf(name, operand));
  if (node.op !== 'call' || node.args[0] !== name) return inner;
  const given = node.args[1].flatMap((argument) =>
    argument.op === 'value' && typeof argument.args === 'string'
      ? [{ text: argument.args, offset: argument.range.start }]
      : [],
  );
  return [...given, ...inner];
}

/** The fields that are read from the record at a path, as `.name` or as `["name"]`. */
export function fieldsReadFrom(path: string, node: ASTNode): NamedField[] {
  const inner = operandsOf(node).flatMap((operand) => fieldsReadFrom(path, operand));
  if (node.op !== '.' && node.op !== '.?' && node.op !== '[]' && node.op !== '[?]') return inner;
  const [record, field] = node.args;
  if (memberPath(record)?.join('.') !== path) return inner;
  if (typeof field === 'string') return [{ name: field, offset: node.range.end - field.length }, ...inner];
  if (field.op !== 'value' || typeof field.args !== 'string') return inner;
  return [{ name: field.args, offset: field.range.start }, ...inner];
}
