import { ok, unprocessable, type Answer } from './answer.js';
import type { Call } from './route.js';

/** Anything that has an id and can stand in a list. */
export interface Listed {
  id: number | string;
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
  const { limit: limitText = '10', starting_after: cursor = '', direction = 'asc' } = call.query;
  const limit = /^\d+$/.test(limitText) ? Number(limitText) : 0;
  if (limit < 1 || limit > 100) return unprocessable('limit must be between 1 and 100');
  if (direction !== 'asc' && direction !== 'desc') return unprocessable('direction must be asc or desc');

  const sorted = [...records].sort((a, b) => compareIds(a.id, b.id));
  const numbered = typeof sorted[0]?.id === 'number';
  if (numbered && !/^\d*$/.test(cursor)) return unprocessable('starting_after is not an id');

  const first = cursor === '' || cursor === '0';
  const from = numbered ? Number(cursor) : cursor;
  const ordered = direction === 'asc' ? sorted : sorted.reverse();
  const sign = direction === 'asc' ? 1 : -1;
  const rest = first ? ordered : ordered.filter(({ id }) => sign * compareIds(id, from) > 0);
  return ok({ data: rest.slice(0, limit).map(show), has_more: rest.length > limit });
}

function compareIds(a: number | string, b: number | string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
