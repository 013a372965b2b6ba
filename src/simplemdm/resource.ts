import { z } from 'zod';
import type { ApiResponse } from './api-response.js';
import { SimpleMdmError } from './errors.js';
import type { ApiRequest } from './request.js';
import type { Transport } from './transport.js';

/** The id of a record: an integer for most resources, a string for custom attributes and logs. */
export type RecordId = string | number;

/** A member of `relationships` that links to one record. */
export const linkTo = z.looseObject({ data: link().nullish() }).nullish();

/** A member of `relationships` that links to several records. Real accounts return lists that repeat a record. */
export const linksTo = z.looseObject({ data: z.array(link()) }).nullish();

function link() {
  return z.looseObject({ type: z.string().nullish(), id: z.int() });
}

/**
 * Makes a call that returns one record, `{"data": …}`, and parses the record.
 *
 * @throws SimpleMdmError as the transport does; of kind `malformed`, with the path of the field, when the record has another shape.
 */
export async function fetchRecord<T extends z.ZodType>(
  transport: Transport,
  request: ApiRequest,
  record: T,
): Promise<z.output<T>> {
  const response = await transport.call(request);
  const { data } = parse(z.looseObject({ data: z.unknown() }), response.body, response, request.method);
  return parse(record, data, response, request.method, ['data']);
}

function parse<T extends z.ZodType>(
  schema: T,
  value: unknown,
  { account, path, status }: ApiResponse,
  method: string,
  parentPath: readonly string[] = [],
): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = [...parentPath, ...(issue?.path ?? [])].join('.') || 'the body';
  throw new SimpleMdmError({
    kind: 'malformed',
    account,
    method,
    path,
    status,
    detail: `${field}: ${issue?.message ?? 'not as documented'}`,
    mayHaveTakenEffect: method !== 'GET',
  });
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
  readonly data: T[];
  readonly hasMore: boolean;
}

/** The request for a list. */
export type ListRequest = Omit<ApiRequest, 'method'>;

const MAX_PAGE_SIZE = 100;

/** Fetches one page of a list (API reference, Pagination). */
export async function fetchPage<T extends z.ZodType<{ id: RecordId }>>(
  transport: Transport,
  request: ListRequest,
  record: T,
  { limit = MAX_PAGE_SIZE, startingAfter, direction }: PageOptions = {},
): Promise<Page<z.output<T>>> {
  const query = { ...request.query, limit, starting_after: startingAfter, direction };
  const response = await transport.call({ ...request, method: 'GET', query });
  // Some lists (custom attribute values) have one page and leave has_more out.
  const list = z.looseObject({ data: z.array(record), has_more: z.boolean().default(false) });
  const { data, has_more: hasMore } = parse(list, response.body, response, 'GET');
  return { data, hasMore };
}

/** Yields every record of a list. Each page is fetched when the caller reaches it. */
export async function* fetchAll<T extends z.ZodType<{ id: RecordId }>>(
  transport: Transport,
  request: ListRequest,
  record: T,
): AsyncGenerator<z.output<T>> {
  let startingAfter: RecordId | undefined;
  for (;;) {
    const page: Page<z.output<T>> = await fetchPage(
      transport,
      request,
      record,
      startingAfter === undefined ? {} : { startingAfter },
    );
    yield* page.data;
    const last = page.data.at(-1)?.id;
    // A server that repeats a cursor would cause an endless loop.
    if (!page.hasMore || last === undefined || last === startingAfter) return;
    startingAfter = last;
  }
}

/** The two methods that read a list of the account. `Options` filter the list. */
export interface ListMethods<T, Options extends readonly unknown[]> {
  /** Every record of the list. Each page of 100 records is fetched when the caller reaches it. */
  readonly list: (...options: Options) => AsyncGenerator<T>;
  /** One page of the list. */
  readonly listPage: (page?: PageOptions, ...options: Options) => Promise<Page<T>>;
}

/**
 * The `list` and `listPage` of a resource.
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
