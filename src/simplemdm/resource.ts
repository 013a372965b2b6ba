import { z } from 'zod';
import type { ApiResponse } from './api-response.js';
import { SimpleMdmError } from './errors.js';
import type { ApiRequest } from './request.js';
import type { Transport } from './transport.js';

/** The id of a record: a whole number for most resources, a text for custom attributes and logs. */
export type RecordId = string | number;

/** `relationships` with one linked record under a name. */
export const linkTo = z.looseObject({ data: link().nullish() }).nullish();

/** `relationships` with a list of linked records under a name; a list may repeat a record (seen in real accounts). */
export const linksTo = z.looseObject({ data: z.array(link()) }).nullish();

/** A link to another record in `relationships`. */
function link() {
  return z.looseObject({ type: z.string().nullish(), id: z.int() });
}

/**
 * Makes a call that is answered with one record, `{"data": …}`, and parses it.
 *
 * @throws SimpleMdmError as the transport does, and of kind `malformed` with the path of the field when the answer has another shape.
 */
export async function fetchRecord<T extends z.ZodType>(
  transport: Transport,
  request: ApiRequest,
  record: T,
): Promise<z.output<T>> {
  const answer = await transport.call(request);
  const { data } = parse(z.looseObject({ data: z.unknown() }), answer.body, answer, request.method);
  return parse(record, data, answer, request.method, ['data']);
}

function parse<T extends z.ZodType>(
  schema: T,
  value: unknown,
  { account, path, status }: ApiResponse,
  method: string,
  place: readonly string[] = [],
): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = [...place, ...(issue?.path ?? [])].join('.') || 'the body';
  throw new SimpleMdmError({
    kind: 'malformed',
    account,
    method,
    path,
    status,
    detail: `${where}: ${issue?.message ?? 'not of the documented form'}`,
    mayHaveTakenEffect: method !== 'GET',
  });
}

/**
 * Makes a call that is answered without a record.
 *
 * @returns The status: 202 when the device is told later, 204 when it is done, 200.
 */
export async function send(transport: Transport, request: ApiRequest): Promise<number> {
  return (await transport.call(request)).status;
}

/**
 * Puts two things together or takes them apart. That they are so already, or are not there to be taken apart, is what
 * was wanted: some accounts answer 409 for it, others 204.
 *
 * @returns The status: 204, 202, or 409 when nothing had to be done.
 */
export async function assign(transport: Transport, request: ApiRequest): Promise<number> {
  try {
    return await send(transport, { ...request, idempotent: true });
  } catch (error) {
    if (error instanceof SimpleMdmError && error.failure.status === 409) return 409;
    throw error;
  }
}

/** What narrows or places a page. */
export interface PageOptions {
  /** 1 to 100; 100 when left out. */
  readonly limit?: number;
  /** The id of the last record of the page before. */
  readonly startingAfter?: RecordId;
  /** Ascending by id when left out (API 1.51). */
  readonly direction?: 'asc' | 'desc';
}

/** One page of a list. */
export interface Page<T> {
  readonly data: T[];
  readonly hasMore: boolean;
}

/** A list as a resource file describes it. */
export type ListRequest = Omit<ApiRequest, 'method'>;

const LARGEST_PAGE = 100;

/** One page of a list (API reference, Pagination). */
export async function fetchPage<T extends z.ZodType<{ id: RecordId }>>(
  transport: Transport,
  request: ListRequest,
  record: T,
  { limit = LARGEST_PAGE, startingAfter, direction }: PageOptions = {},
): Promise<Page<z.output<T>>> {
  const query = { ...request.query, limit, starting_after: startingAfter, direction };
  const answer = await transport.call({ ...request, method: 'GET', query });
  // Some lists (custom attribute values) leave has_more out: they have one page.
  const list = z.looseObject({ data: z.array(record), has_more: z.boolean().default(false) });
  const { data, has_more: hasMore } = parse(list, answer.body, answer, 'GET');
  return { data, hasMore };
}

/** Every record of a list, page after page, each page fetched when it is reached. */
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
    // A server that repeats a cursor would otherwise keep us here for ever.
    if (!page.hasMore || last === undefined || last === startingAfter) return;
    startingAfter = last;
  }
}
