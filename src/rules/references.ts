import { didYouMean } from '../config/nearest-name.js';
import type { ReferenceKind, CatalogEntry } from './model/vocabulary.js';

/** So many names are read at a glance. */
const MAX_NAMES_SHOWN = 10;

/**
 * What is wrong with a reference by name or id, if anything: a number is an id; a text is a name, or an id when nothing has that name.
 *
 * @param known - Everything of the kind; undefined when that is not known.
 * @param where - Said behind what was looked for: ` in the account "acme"`.
 */
export function problemWithReference(
  kind: ReferenceKind,
  reference: string | number,
  known: readonly CatalogEntry[] | undefined,
  where = '',
): string | undefined {
  if (known === undefined) return undefined;
  const named = known.filter(({ name }) => typeof reference === 'string' && name === reference);
  if (named.length > 1) {
    const ids = named.map(({ id }) => id).join(', ');
    return `${named.length} ${kind}s are called "${reference}"${where} (ids ${ids}): refer to one by its id`;
  }
  if (named.length === 1 || known.some(({ id }) => String(id) === String(reference))) return undefined;
  const names = known.flatMap(({ name }) => name ?? []);
  const shown = typeof reference === 'number' ? `with id ${reference}` : `"${reference}"`;
  const hint = didYouMean(String(reference), names);
  const listed =
    typeof reference === 'number'
      ? known.map(({ id, name }) => (name === undefined ? String(id) : `${id} (${name})`))
      : names;
  const all = listed.length > 0 && listed.length <= MAX_NAMES_SHOWN ? ` (there is ${listed.join(', ')})` : '';
  const remedy = kind === 'channel' && hint === '' ? ': describe it under "channels:" in a rule file' : '';
  return `there is no ${kind} ${shown}${where}${hint === '' ? all : hint}${remedy}`;
}
