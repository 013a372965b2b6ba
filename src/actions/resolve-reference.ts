import { z } from 'zod';
import { didYouMean } from '../errors/did-you-mean.js';
import type { CachedList } from '../simplemdm/cached-lists.js';
import { StepError } from './action.js';

/** The name or id of a group, profile, script, ... in a rule. */
export const reference = z.union([z.int().positive(), z.string().min(1)], 'expected a name or an id');

/** A name or an id. */
export type Reference = z.output<typeof reference>;

/**
 * Finds the object of a reference. A number is an id; a text is a name, or an id if no object has that name.
 *
 * @param kind - The kind of object for messages, such as `device group`.
 * @param nameOf - The name of an object; undefined without a name.
 * @throws StepError when no object or several objects match.
 */
export async function resolveReference<T extends { readonly id: number }>(
  kind: string,
  wanted: Reference,
  list: CachedList<T>,
  nameOf: (item: T) => string | undefined,
): Promise<T> {
  const cached = matchesIn(await list.get(), wanted, nameOf);
  // The object may be newer than the cached list.
  const matches = cached.length > 0 ? cached : matchesIn(await list.refresh(), wanted, nameOf);
  const [match, another] = matches;
  if (match === undefined) {
    const names = (await list.get()).flatMap((item) => nameOf(item) ?? []);
    throw new StepError(
      'step/unknown-reference',
      `there is no ${kind} ${quoted(wanted)}${didYouMean(String(wanted), names)}`,
    );
  }
  if (another !== undefined) {
    const ids = matches.map((item) => item.id).join(', ');
    throw new StepError(
      'step/ambiguous-reference',
      `${matches.length} ${kind}s have the name ${quoted(wanted)} (ids ${ids}): use an id`,
    );
  }
  return match;
}

function matchesIn<T extends { readonly id: number }>(
  items: readonly T[],
  wanted: Reference,
  nameOf: (item: T) => string | undefined,
): T[] {
  if (typeof wanted === 'number') return items.filter((item) => item.id === wanted).slice(0, 1);
  const byName = items.filter((item) => nameOf(item) === wanted);
  return byName.length > 0 ? byName : items.filter((item) => String(item.id) === wanted).slice(0, 1);
}

function quoted(wanted: Reference): string {
  return typeof wanted === 'number' ? `with id ${wanted}` : `"${wanted}"`;
}
