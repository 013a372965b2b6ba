import { z } from 'zod';
import { SimpleMdmError } from './errors.js';
import { flagField, textField } from './field-types.js';
import { createPageReader } from './list-pages.js';
import type { ReceivedPage, RecordId } from './list-pages.js';
import { parseRecord } from './parse-record.js';
import { incompleteList, readRecord, readRecords } from './read-answer.js';
import type { Answer } from './read-answer.js';
import type { ApiRequest } from './request.js';
import type { Transport } from './transport.js';

/** A member of `relationships` that links to one record. */
export const linkTo = z.looseObject({ data: link().nullish() }).nullish();

/** A member of `relationships` that links to several records. Real accounts return lists that repeat a record. */
export const linksTo = z.looseObject({ data: z.array(link()).nullish() }).nullish();

function link() {
  return z.looseObject({ type: textField, id: z.int() });
}

/**
 * Makes a call that returns one record, `{"data": …}`, and parses the record field by field (see parse-record.ts). A field that cannot
 * be read is null; a warning goes to the enclosing `recordWarnings` and to the transport.
 *
 * @throws SimpleMdmError as the transport does; of kind `malformed` when the record has no usable id.
 */
export async function fetchRecord<T extends z.ZodType>(
  transport: Transport,
  request: ApiRequest,
  record: T,
): Promise<z.output<T>> {
  const expects = record instanceof z.ZodObject ? 'record' : 'data';
  const response = await transport.call({ ...request, expects });
  return readRecord({ transport, request, response }, record, expects);
}

/**
 * Makes a call that returns no record.
 *
 * @returns The status: 202 when SimpleMDM informs the device later, 204 when the change is done, 200.
 */
export async function send(transport: Transport, request: ApiRequest): Promise<number> {
  return (await transport.call(request)).status;
}

/**
 * Assigns one record to another or removes the assignment. Some accounts return 409 when nothing has to change, others 204;
 * both are a success.
 *
 * @returns The status: 204, 202, or 409 when nothing had to change.
 */
export async function changeAssignment(transport: Transport, request: ApiRequest): Promise<number> {
  try {
    return await send(transport, { ...request, idempotent: true });
  } catch (error) {
    if (error instanceof SimpleMdmError && error.failure.status === 409) return 409;
    throw error;
  }
}

/** Which page to fetch. */
export interface PageOptions {
  /** 1 to 100; 100 by default. */
  readonly limit?: number;
  /** The id of the last record of the previous page. */
  readonly startingAfter?: RecordId;
  /** The order of ids; ascending by default (API 1.51). */
  readonly direction?: 'asc' | 'desc';
}

/** One page of a list. */
export interface Page<T> {
  /** The records that have an id. */
  readonly data: T[];
  readonly hasMore: boolean;
}

/** The request for a list. */
export type ListRequest = Omit<ApiRequest, 'method'>;

const MAX_PAGE_SIZE = 100;

/**
 * Fetches one page of a list (API reference, Pagination). A record without a usable id is left out with a warning.
 *
 * @throws SimpleMdmError as the transport does.
 */
export async function fetchPage<T extends z.ZodType<{ id: RecordId }>>(
  transport: Transport,
  request: ListRequest,
  record: T,
  page: PageOptions = {},
): Promise<Page<z.output<T>>> {
  const { data, hasMore } = (await receivePage(transport, request, record, page)).page;
  return { data: [...data], hasMore };
}

async function receivePage<T extends z.ZodType<{ id: RecordId }>>(
  transport: Transport,
  listRequest: ListRequest,
  record: T,
  { limit = MAX_PAGE_SIZE, startingAfter, direction }: PageOptions,
): Promise<{ answer: Answer; page: ReceivedPage<z.output<T>> }> {
  const query = { ...listRequest.query, limit, starting_after: startingAfter, direction };
  const request: ApiRequest = { ...listRequest, method: 'GET', query, expects: 'list' };
  const response = await transport.call(request);
  const answer = { transport, request, response };
  const { records: data, received } = readRecords(answer, record);
  const { record: hasMore } = parseRecord(flagField, listBody.parse(response.body).has_more);
  // Some lists (custom attribute values) have one page and leave has_more out.
  const isGuess = hasMore === undefined || hasMore === null;
  return { answer, page: { data, received, hasMore: isGuess ? received >= limit : hasMore, isGuess } };
}

const listBody = z.looseObject({ has_more: z.unknown().optional() });

/**
 * Yields the records of a list page by page, each record once. A page is fetched when the caller reaches it.
 *
 * @param startingAfter - The id of the last record that the caller has.
 * @throws SimpleMdmError as the transport does; of kind `incomplete`, after the pages that were read, when the pages do not come to an
 *   end. The absence of a record is then not known.
 */
export async function* fetchPages<T extends z.ZodType<{ id: RecordId }>>(
  transport: Transport,
  request: ListRequest,
  record: T,
  startingAfter?: RecordId,
): AsyncGenerator<readonly z.output<T>[]> {
  const readPage = createPageReader<z.output<T>>(startingAfter);
  let next: PageOptions = startingAfter === undefined ? {} : { startingAfter };
  for (;;) {
    const { answer, page } = await receivePage(transport, request, record, next);
    const after = readPage(page);
    yield after.fresh;
    if (after.kind === 'end') return;
    if (after.kind === 'incomplete') throw incompleteList(answer, after.problem);
    next = { startingAfter: after.startingAfter };
  }
}

/**
 * Yields every record of a list, each once. A page is fetched when the caller reaches it. A caller that stops when it has found its
 * record can use a list that does not come to an end; one that reads on gets the error of {@link fetchPages}.
 */
export async function* fetchAll<T extends z.ZodType<{ id: RecordId }>>(
  transport: Transport,
  request: ListRequest,
  record: T,
): AsyncGenerator<z.output<T>> {
  for await (const records of fetchPages(transport, request, record)) yield* records;
}

/** The methods that read a list of the account. `Options` filter the list. */
export interface ListMethods<T, Options extends readonly unknown[]> {
  /** Every record of the list. Each page of 100 records is fetched when the caller reaches it. */
  readonly list: (...options: Options) => AsyncGenerator<T>;
  /** One page of the list. */
  readonly listPage: (page?: PageOptions, ...options: Options) => Promise<Page<T>>;
  /** The list page by page, from behind a record. Each page is fetched when the caller reaches it. */
  readonly pages: (startingAfter?: RecordId, ...options: Options) => AsyncGenerator<readonly T[]>;
}

/**
 * The `list`, `listPage` and `pages` of a resource.
 *
 * @param request - The request for the list; the parameters of `request` become those of the methods.
 */
export function listOf<T extends z.ZodType<{ id: RecordId }>, Options extends readonly unknown[]>(
  transport: Transport,
  record: T,
  request: (...options: Options) => ListRequest,
): ListMethods<z.output<T>, Options> {
  return {
    list: (...options) => fetchAll(transport, request(...options), record),
    listPage: (page, ...options) => fetchPage(transport, request(...options), record, page),
    pages: (startingAfter, ...options) => fetchPages(transport, request(...options), record, startingAfter),
  };
}

/** The two methods that read a list which belongs to one record, such as the apps on a device. */
export interface NestedListMethods<T> {
  /** Every record of the list. Each page of 100 records is fetched when the caller reaches it. */
  readonly list: (parentId: number) => AsyncGenerator<T>;
  /** One page of the list. */
  readonly listPage: (parentId: number, page?: PageOptions) => Promise<Page<T>>;
}

/**
 * The `list` and `listPage` of records that belong to another record.
 *
 * @param request - The request for the list of the record with this id.
 */
export function nestedListOf<T extends z.ZodType<{ id: RecordId }>>(
  transport: Transport,
  record: T,
  request: (parentId: number) => ListRequest,
): NestedListMethods<z.output<T>> {
  return {
    list: (parentId) => fetchAll(transport, request(parentId), record),
    listPage: (parentId, page) => fetchPage(transport, request(parentId), record, page),
  };
}
