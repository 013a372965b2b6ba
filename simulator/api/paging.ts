import { ok, unprocessable, type Answer } from './answer.js';
import type { Call } from './route.js';

/** Anything that has an id and can stand in a list. */
export interface Listed {
  id: number | string;
}

/** Ascending or descending by id (API 1.51). */
export type Direction = 'asc' | 'desc';

/** Where a page begins and how it goes on. */
export interface Place {
  /** The cursor; `undefined` for the first page. */
  after: string | undefined;
  direction: Direction;
}

/**
 * Answers one page of a list, ascending by id (reference: Pagination).
 * The cursor need not belong to a record: the page holds what comes after it. `starting_after=0` is the first page.
 */
export function page<R extends Listed>(
  call: Call,
  records: Iterable<R>,
  show: (record: R) => unknown,
): Answer {
  const sorted = [...records].sort((a, b) => compareIds(a.id, b.id));
  const numbered = typeof sorted[0]?.id === 'number';
  return pageOf(call, numbered, show, ({ after, direction }) => {
    const ordered = direction === 'asc' ? sorted : sorted.reverse();
    if (after === undefined) return ordered;
    const from = numbered ? Number(after) : after;
    const sign = direction === 'asc' ? 1 : -1;
    return ordered.filter(({ id }) => sign * compareIds(id, from) > 0);
  });
}

/**
 * Answers one page of a list that is long and can be read from any place: no more of it is read than the page holds.
 *
 * @param numbered - Whether the ids are numbers.
 */
export function pageOf<R extends Listed>(
  call: Call,
  numbered: boolean,
  show: (record: R) => unknown,
  read: (place: Place) => Iterable<R>,
): Answer {
  const { limit: limitText = '10', starting_after: cursor = '', direction = 'asc' } = call.query;
  const limit = /^\d+$/.test(limitText) ? Number(limitText) : 0;
  if (limit < 1 || limit > 100) return unprocessable('limit must be between 1 and 100');
  if (direction !== 'asc' && direction !== 'desc') return unprocessable('direction must be asc or desc');
  if (numbered && !/^\d*$/.test(cursor)) return unprocessable('starting_after is not an id');

  const after = cursor === '' || cursor === '0' ? undefined : cursor;
  const data: unknown[] = [];
  for (const record of read({ after, direction })) {
    if (data.length === limit) return ok({ data, has_more: true });
    data.push(show(record));
  }
  return ok({ data, has_more: false });
}

function compareIds(a: number | string, b: number | string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
