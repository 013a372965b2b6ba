import { didYouMean } from '../errors/did-you-mean.js';
import type { UserProblem } from '../errors/user-problem.js';
import type { CatalogEntry, ReferenceCatalog, ReferenceKind } from './model/vocabulary.js';

/** Longer lists of names do not fit in a message. */
const MAX_NAMES_SHOWN = 10;

/**
 * The problem with a reference by name or id, if any. A number is an id; a text is a name, or an id when nothing has that name.
 *
 * @param entries - All objects of the kind; undefined when they are not known.
 * @param options - `where`: appended to the name in messages: ` in the account "acme"`. `ignoreCase`: compares names without case.
 */
export function problemWithReference(
  kind: ReferenceKind,
  reference: string | number,
  entries: readonly CatalogEntry[] | undefined,
  { where = '', ignoreCase = false }: { where?: string; ignoreCase?: boolean } = {},
): UserProblem | undefined {
  if (entries === undefined) return undefined;
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  const named = entries.filter(
    ({ name }) => typeof reference === 'string' && name !== undefined && fold(name) === fold(reference),
  );
  if (named.length > 1) {
    const ids = named.map(({ id }) => id).join(', ');
    return {
      code: 'rule/ambiguous-reference',
      message: `${named.length} ${kind}s have the name "${reference}"${where} (ids ${ids}): use an id instead`,
    };
  }
  if (named.length === 1 || entries.some(({ id }) => String(id) === String(reference))) return undefined;
  const names = entries.flatMap(({ name }) => name ?? []);
  const shown = typeof reference === 'number' ? `with id ${reference}` : `"${reference}"`;
  if (typeof reference === 'string' && reference.includes('\n')) {
    const some = names.length > 0 && names.length <= MAX_NAMES_SHOWN ? `, such as ${names.join(', ')}` : '';
    return {
      code: 'rule/unknown-reference',
      message: `expected the name of a ${kind} in SimpleMDM${some}, not its content`,
    };
  }
  const hint = didYouMean(String(reference), names);
  const listed =
    typeof reference === 'number'
      ? entries.map(({ id, name }) => (name === undefined ? String(id) : `${id} (${name})`))
      : names;
  const all =
    listed.length > 0 && listed.length <= MAX_NAMES_SHOWN ? ` (existing: ${listed.join(', ')})` : '';
  const fix = kind === 'channel' && hint === '' ? ': define it under "channels:" in a rule file' : '';
  return {
    code: 'rule/unknown-reference',
    message: `there is no ${kind} ${shown}${where}${hint === '' ? all : hint}${fix}`,
  };
}

/**
 * The problem with a reference that may be of either kind, if any. A name that both kinds have is fine: either is meant.
 *
 * @param catalog - A kind that it lacks does not exist in the account, or is not known.
 */
export function problemWithEither(
  kinds: readonly [ReferenceKind, ReferenceKind],
  reference: string | number,
  catalog: ReferenceCatalog | undefined,
  where = '',
): UserProblem | undefined {
  const lists = kinds.map((kind) => catalog?.[kind]);
  if (lists.every((entries) => entries === undefined)) return undefined;
  const problems = kinds.map((kind, index) =>
    problemWithReference(kind, reference, lists[index] ?? [], { where }),
  );
  if (problems.some((problem) => problem === undefined)) return undefined;
  const ambiguous = problems.find((problem) => problem?.code === 'rule/ambiguous-reference');
  if (ambiguous !== undefined) return ambiguous;
  const entries = lists.flatMap((list) => list ?? []);
  const problem = problemWithReference(kinds[0], reference, entries, { where });
  return problem && { ...problem, message: problem.message.replace(kinds[0], kinds.join(' or ')) };
}
