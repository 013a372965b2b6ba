import type { CatalogEntry, ReferenceCatalog, ReferenceKind } from '../rules/model/vocabulary.js';
import type { CachedLists } from '../simplemdm/cached-lists.js';
import { REFERENCED_KINDS, catalogEntries } from './reference-kinds.js';

/**
 * Loads the reference catalogs of several accounts.
 *
 * @param accounts - The cached lists of each account, by the name of the account.
 * @returns The catalog of an account by name; an empty catalog for other names.
 * @throws SimpleMdmError when SimpleMDM is unavailable.
 */
export async function loadReferenceCatalogs(
  accounts: Iterable<readonly [string, CachedLists]>,
): Promise<(account: string) => ReferenceCatalog> {
  const catalogs = await Promise.all(
    [...accounts].map(async ([name, lists]) => [name, await loadReferenceCatalog(lists)] as const),
  );
  const byAccount = new Map(catalogs);
  return (account) => byAccount.get(account) ?? {};
}

/**
 * Loads everything in an account that rules refer to by name or id, for the check when rule files load. Leaves out the kinds
 * that the account does not have.
 *
 * @throws SimpleMdmError when SimpleMDM is unavailable.
 */
export async function loadReferenceCatalog(lists: CachedLists): Promise<ReferenceCatalog> {
  const catalog: Partial<Record<ReferenceKind, readonly CatalogEntry[]>> = {};
  const add = (kind: ReferenceKind, entries: readonly CatalogEntry[] | undefined): void => {
    if (entries !== undefined) catalog[kind] = entries;
  };
  add('custom attribute', await catalogEntries(lists.customAttributes, ({ id }) => id));
  for (const { kind, entries } of REFERENCED_KINDS) add(kind, await entries(lists));
  return catalog;
}
