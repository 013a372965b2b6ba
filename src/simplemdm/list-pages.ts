/** The id of a record: an integer for most resources, a string for custom attributes and logs. */
export type RecordId = string | number;

/** A page as {@link createPageReader} needs it. */
export interface ReceivedPage<T> {
  /** The records that have an id. */
  readonly data: readonly T[];
  /** How many records the page had, with those that were left out. */
  readonly received: number;
  readonly hasMore: boolean;
  /** The page did not say whether there are more. It was full, so the next page is tried. */
  readonly isGuess: boolean;
}

/** What follows a page. */
export type AfterPage<T> = {
  /** The records of the page that no earlier page had. */
  readonly fresh: readonly T[];
} & (
  | { readonly kind: 'end' }
  | { readonly kind: 'next'; readonly startingAfter: RecordId }
  /** The list does not come to an end: what is missing is not known. */
  | { readonly kind: 'incomplete'; readonly problem: string }
);

/** So many pages in a row whose ids are all below their cursor: the cursor is not used. */
const MAX_PAGES_BACKWARD = 20;

/**
 * Decides after each page of a list whether to fetch another one. Lists may repeat a record, which is dropped. A page without a record
 * that is new ends the list, whatever `has_more` says: the cursor does not move, and going on would never end.
 *
 * @param startingAfter - The cursor of the first page, if it has one.
 */
export function createPageReader<T extends { readonly id: RecordId }>(
  startingAfter?: RecordId,
): (page: ReceivedPage<T>) => AfterPage<T> {
  const seen = new Set<RecordId>();
  let cursor = startingAfter;
  let pagesBackward = 0;
  return ({ data, received, hasMore, isGuess }) => {
    const fresh = data.filter(({ id }) => {
      const isNew = !seen.has(id);
      seen.add(id);
      return isNew;
    });
    if (!hasMore) return { kind: 'end', fresh };
    const last = fresh.at(-1)?.id;
    if (last === undefined) {
      // Some lists have one page and no has_more, and answer with that page whatever the cursor.
      if (isGuess && seen.size > 0) return { kind: 'end', fresh };
      return { kind: 'incomplete', fresh, problem: stuck(received, data.length) };
    }
    pagesBackward = isBackward(fresh, cursor) ? pagesBackward + 1 : 0;
    if (pagesBackward >= MAX_PAGES_BACKWARD) {
      return { kind: 'incomplete', fresh, problem: 'the ids of its pages go backward' };
    }
    cursor = data.at(-1)?.id ?? last;
    return { kind: 'next', fresh, startingAfter: cursor };
  };
}

function stuck(received: number, usable: number): string {
  if (received === 0) return 'a page is empty and says that there are more';
  if (usable === 0) return 'a page has no record with an id and says that there are more';
  return 'a page has only records of earlier pages and says that there are more';
}

/** Whether all ids are below the cursor. Lists ascend by id. */
function isBackward(records: readonly { readonly id: RecordId }[], cursor: RecordId | undefined): boolean {
  return typeof cursor === 'number' && records.every(({ id }) => typeof id === 'number' && id < cursor);
}
