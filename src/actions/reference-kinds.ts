import type { CatalogEntry, ReferenceKind } from '../rules/model/vocabulary.js';
import type { CachedList, CachedLists } from '../simplemdm/cached-lists.js';
import type { CustomDeclaration } from '../simplemdm/custom-declarations.js';
import type { Enrollment } from '../simplemdm/enrollments.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { resolveReference } from './resolve-reference.js';
import type { Reference } from './resolve-reference.js';

/** An object that a reference names. */
export interface ReferencedObject<T> {
  readonly id: number;
  readonly name: string | null;
  readonly record: T;
}

/** One kind of object that actions refer to by name or id. */
export interface ReferencedKind<T> {
  readonly kind: ReferenceKind;
  /**
   * Finds the object of a reference.
   *
   * @throws StepError when no object or several objects match; SimpleMdmError from the API.
   */
  readonly find: (wanted: Reference, lists: CachedLists) => Promise<ReferencedObject<T>>;
  /**
   * All objects of this kind; undefined when the account does not have the kind (scripts are not part of every subscription).
   *
   * @throws SimpleMdmError from the API, except 403 and 404.
   */
  readonly entries: (lists: CachedLists) => Promise<readonly CatalogEntry[] | undefined>;
}

type NameOf<T> = (record: T) => string | null | undefined;

function referencedKind<T extends { readonly id: number }>(
  kind: ReferenceKind,
  listIn: (lists: CachedLists) => CachedList<T>,
  nameOfIn: (lists: CachedLists) => NameOf<T> | Promise<NameOf<T>>,
): ReferencedKind<T> {
  return {
    kind,
    find: async (wanted, lists) => {
      const nameOf = await nameOfIn(lists);
      const record = await resolveReference(kind, wanted, listIn(lists), (item) => nameOf(item) ?? undefined);
      return { id: record.id, name: nameOf(record) ?? null, record };
    },
    entries: async (lists) => catalogEntries(listIn(lists), await nameOfIn(lists)),
  };
}

/** A kind whose records have their own name. */
function namedKind<T extends { readonly id: number }>(
  kind: ReferenceKind,
  listIn: (lists: CachedLists) => CachedList<T>,
  nameOf: NameOf<T>,
): ReferencedKind<T> {
  return referencedKind(kind, listIn, () => nameOf);
}

/** The objects of a list by id and name; undefined when the API returns 403 or 404 for the list. */
export async function catalogEntries<T extends { readonly id: number | string }>(
  list: CachedList<T>,
  nameOf: NameOf<T>,
): Promise<readonly CatalogEntry[] | undefined> {
  try {
    return (await list.get()).map((record) => ({ id: record.id, name: nameOf(record) ?? undefined }));
  } catch (error) {
    if (error instanceof SimpleMdmError && (error.failure.status === 403 || error.notFound)) return undefined;
    throw error;
  }
}

export const assignmentGroups = namedKind(
  'assignment group',
  (lists) => lists.assignmentGroups,
  ({ attributes }) => attributes.name,
);

/** No reference documents the list of declarations: an account whose API does not have it is not an error. */
export const declarations: ReferencedKind<CustomDeclaration> = {
  ...namedKind(
    'declaration',
    (lists) => lists.customDeclarations,
    ({ attributes }) => attributes.name,
  ),
  entries: async ({ customDeclarations }) => {
    try {
      return await catalogEntries(customDeclarations, ({ attributes }) => attributes.name);
    } catch (error) {
      if (error instanceof SimpleMdmError) return undefined;
      throw error;
    }
  },
};

export const depServerKind = namedKind(
  'DEP server',
  (lists) => lists.depServers,
  ({ attributes }) => attributes.server_name,
);

export const deviceGroups = namedKind(
  'device group',
  (lists) => lists.deviceGroups,
  ({ attributes }) => attributes.name,
);

export const profiles = namedKind(
  'profile',
  (lists) => lists.profiles,
  ({ attributes }) => attributes.name,
);

export const scripts = namedKind(
  'script',
  (lists) => lists.scripts,
  ({ attributes }) => attributes.name,
);

/** An enrollment without a name has the name of the device group that devices enroll into, unless it is for one device only. */
export const enrollments = referencedKind('enrollment', (lists) => lists.enrollments, enrollmentNames);

async function enrollmentNames({ deviceGroups: groups }: CachedLists): Promise<NameOf<Enrollment>> {
  const groupNames = new Map((await groups.get()).map(({ id, attributes }) => [id, attributes.name]));
  return ({ attributes, relationships }) => {
    const isOneTime = (relationships?.device?.data ?? null) !== null;
    const groupId = isOneTime ? undefined : relationships?.device_group?.data?.id;
    return attributes.name ?? (groupId === undefined ? undefined : groupNames.get(groupId));
  };
}

/** The kinds whose objects have a numeric id; custom attributes have a name only. */
export const REFERENCED_KINDS = [
  deviceGroups,
  assignmentGroups,
  declarations,
  depServerKind,
  enrollments,
  profiles,
  scripts,
] as const;
