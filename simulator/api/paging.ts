import { ok, unprocessable, type ApiResponse } from './response.js';
import type { Call } from './route.js';

/** A record of a list. */
export interface ListedRecord {
  id: number | string;
}

/** A higher limit counts as this one: programs in use send 300 and rely on it. */
const maxLimit = 100;

/** Ascending or descending by id (API 1.51). */
export type Direction = 'asc' | 'desc';

/** The start of a page and its direction. */
export interface PagePosition {
  /** The cursor; `undefined` for the first page. */
  after: string | undefined;
  direction: Direction;
}

/**
 * One page of a list, ascending by id (reference: Pagination). The cursor need not be the id of a record: the page starts with the
 * first id after it. `starting_after=0` is the first page.
 */
export function page<R extends ListedRecord>(
  call: Call,
  records: Iterable<R>,
  show: (record: R) => unknown,
): ApiResponse {
  const sorted = [...records].sort((a, b) => compareIds(a.id, b.id));
  const hasNumericIds = typeof sorted[0]?.id === 'number';
  return pageOf(call, hasNumericIds, show, ({ after, direction }) => {
    const ordered = direction === 'asc' ? sorted : sorted.reverse();
    if (after === undefined) return ordered;
    const from = hasNumericIds ? Number(after) : after;
    const sign = direction === 'asc' ? 1 : -1;
    return ordered.filter(({ id }) => sign * compareIds(id, from) > 0);
  });
}

/**
 * One page of a long list. Reads no more of the list than the page needs.
 *
 * @param read - Reads the list from a position.
 */
export function pageOf<R extends ListedRecord>(
  call: Call,
  hasNumericIds: boolean,
  show: (record: R) => unknown,
  read: (position: PagePosition) => Iterable<R>,
): ApiResponse {
  const { limit: limitText = '10', starting_after: cursor = '', direction = 'asc' } = call.query;
  const limit = /^\d+$/.test(limitText) ? Number(limitText) : 0;
  if (limit < 1) return unprocessable('limit must be between 1 and 100');
  if (direction !== 'asc' && direction !== 'desc') return unprocessable('direction must be asc or desc');
  if (hasNumericIds && !/^\d*$/.test(cursor)) return unprocessable('starting_after is not an id');

  const after = cursor === '' || cursor === '0' ? undefined : cursor;
  const data: unknown[] = [];
  for (const record of read({ after, direction })) {
    if (data.length === Math.min(limit, maxLimit)) return ok({ data, has_more: true });
    data.push(show(record));
  }
  return ok({ data, has_more: false });
}

function compareIds(a: number | string, b: number | string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
