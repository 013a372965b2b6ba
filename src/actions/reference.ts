import { z } from 'zod';
import { didYouMean } from '../config/nearest-name.js';
import type { CachedList } from '../simplemdm/directory.js';
import { StepError } from './action.js';

/** A name or an id, as rules refer to groups, scripts and enrollments. */
export const reference = z.union([z.int().positive(), z.string().min(1)], 'expected a name or an id');

/** A name or an id. */
export type Reference = z.output<typeof reference>;

/**
 * Finds what a reference means: a number is an id; a text is a name, or an id when nothing has that name.
 *
 * @param kind - What it is, for messages: `device group`.
 * @param nameOf - The name of an item, undefined when it has none.
 * @throws StepError when nothing or more than one thing has the name.
 */
export async function resolveReference<T extends { readonly id: number }>(
  kind: string,
  given: Reference,
  list: CachedList<T>,
  nameOf: (item: T) => string | undefined,
): Promise<T> {
  const found = find(await list.get(), given, nameOf);
  // It may have been made since the list was fetched.
  const matches = found.length > 0 ? found : find(await list.refresh(), given, nameOf);
  const [match, another] = matches;
  if (match === undefined) {
    const names = (await list.get()).flatMap((item) => nameOf(item) ?? []);
    throw new StepError(
      'step/unknown-reference',
      `there is no ${kind} ${shown(given)}${didYouMean(String(given), names)}`,
    );
  }
  if (another !== undefined) {
    const ids = matches.map((item) => item.id).join(', ');
    throw new StepError(
      'step/ambiguous-reference',
      `${matches.length} ${kind}s are called ${shown(given)} (ids ${ids}): refer to one by its id`,
    );
  }
  return match;
}

function find<T extends { readonly id: number }>(
  items: readonly T[],
  given: Reference,
  nameOf: (item: T) => string | undefined,
): T[] {
  if (typeof given === 'number') return items.filter((item) => item.id === given).slice(0, 1);
  const named = items.filter((item) => nameOf(item) === given);
  return named.length > 0 ? named : items.filter((item) => String(item.id) === given).slice(0, 1);
}

function shown(given: Reference): string {
  return typeof given === 'number' ? `with id ${given}` : `"${given}"`;
}
