/** How many records a page has at most (API reference, Pagination). */
const PAGE_SIZE = 100;

/** A hundred ids are at most a hundred records, so a page reaches this far in any account. */
const SURE_REACH = PAGE_SIZE;

/** As many reads wait before a page shows how far pages reach, when the ids are not near each other. */
const ENOUGH_FOR_A_TRIAL = 8;

/** After such a page, reads are sent alone for this long: singly they may succeed. */
const PAUSE_AFTER_FAILURE_MS = 10 * 60_000;

/** A page of a list and the ids that it is expected to have. */
export interface PlannedPage {
  readonly startingAfter: number;
  readonly limit: number;
  readonly ids: ReadonlySet<number>;
}

/** Knows how far the pages of a list reach. The ids of an account are not consecutive: other accounts use the same numbers. */
export interface PageReach {
  /** The page that serves `id` and most of the other wanted ids; undefined when a page would serve `id` only. */
  readonly plan: (id: number, wanted: readonly number[]) => PlannedPage | undefined;
  /** Learns from a page: the ids of its records, ascending. */
  readonly learn: (page: PlannedPage, received: readonly number[]) => void;
  /** To call when a page has failed or served none of its ids. */
  readonly pause: () => void;
}

/**
 * @param now - Epoch milliseconds.
 */
export function createPageReach(now: () => number): PageReach {
  /** The ids behind the cursor that a full page reaches; undefined until a page has shown it. */
  let learned: number | undefined;
  let pausedUntil = 0;
  return {
    plan: (id, wanted) => {
      if (now() < pausedUntil) return undefined;
      const ids = [...new Set([...wanted, id])].sort((a, b) => a - b);
      const near = bestPage(id, ids, learned ?? SURE_REACH);
      if (near !== undefined || learned !== undefined || ids.length < ENOUGH_FOR_A_TRIAL) return near;
      return bestPage(id, ids, Infinity);
    },
    learn: ({ startingAfter }, received) => {
      const last = received.at(-1);
      if (last === undefined || last <= startingAfter) return;
      const idsPerRecord = (last - startingAfter) / received.length;
      learned = Math.max(SURE_REACH, Math.floor(idsPerRecord * PAGE_SIZE));
    },
    pause: () => {
      pausedUntil = now() + PAUSE_AFTER_FAILURE_MS;
    },
  };
}

/**
 * The page that has `id` and most of the other ids, if it has any other.
 *
 * @param ids - Ascending.
 * @param reach - How many ids behind its cursor a full page covers.
 */
function bestPage(id: number, ids: readonly number[], reach: number): PlannedPage | undefined {
  let best: readonly number[] = [];
  for (const [index, first] of ids.entries()) {
    if (first > id) break;
    const covered = ids.slice(index).filter((other) => other < first + reach);
    if (covered.includes(id) && covered.length > best.length) best = covered;
  }
  const [first, last] = [best[0], best.at(-1)];
  if (first === undefined || last === undefined || best.length < 2) return undefined;
  // So many ids are at most as many records: a short page suffices for ids that are close together.
  return { startingAfter: first - 1, limit: Math.min(PAGE_SIZE, last - first + 1), ids: new Set(best) };
}
