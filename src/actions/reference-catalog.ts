import type { ReferenceCatalog } from '../rules/model/vocabulary.js';
import type { Directory } from '../simplemdm/directory.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { enrollmentName, groupNames } from './enrollments.js';

/**
 * {@link loadReferenceCatalog} several accounts, by their names.
 *
 * @throws SimpleMdmError when SimpleMDM cannot be asked now.
 */
export async function loadReferenceCatalogs(
  accounts: Iterable<readonly [string, Directory]>,
): Promise<(account: string) => ReferenceCatalog> {
  const found = await Promise.all(
    [...accounts].map(async ([name, directory]) => [name, await loadReferenceCatalog(directory)] as const),
  );
  const byAccount = new Map(found);
  return (account) => byAccount.get(account) ?? {};
}

/**
 * Everything in an account that rules refer to by name or id, for the check when rule files load. A kind that the account does not
 * have (scripts belong to some subscriptions only) or whose list is too long is left out.
 *
 * @throws SimpleMdmError when SimpleMDM cannot be asked now.
 */
export async function loadReferenceCatalog(directory: Directory): Promise<ReferenceCatalog> {
  const named = async <T extends { readonly id: number | string }>(
    list: { readonly get: () => Promise<readonly T[]> },
    nameOf: (item: T) => string | null | undefined,
  ) => {
    try {
      return (await list.get()).map((item) => ({ id: item.id, name: nameOf(item) ?? undefined }));
    } catch (error) {
      if (error instanceof SimpleMdmError && (error.failure.status === 403 || error.notFound))
        return undefined;
      throw error;
    }
  };
  const groupsById = await groupNames(directory);
  const found = {
    'assignment group': await named(directory.assignmentGroups, ({ attributes }) => attributes.name),
    'custom attribute': await named(directory.customAttributes, ({ id }) => id),
    'DEP server': await named(directory.depServers, ({ attributes }) => attributes.server_name),
    'device group': await named(directory.deviceGroups, ({ attributes }) => attributes.name),
    enrollment: await named(directory.enrollments, (item) => enrollmentName(item, groupsById)),
    profile: await named(directory.profiles, ({ attributes }) => attributes.name),
    script: await named(directory.scripts, ({ attributes }) => attributes.name),
  };
  return Object.fromEntries(Object.entries(found).filter(([, list]) => list !== undefined));
}
