import { z } from 'zod';
import { SimpleMdmError } from './errors.js';
import type { ApiAnswer, ApiRequest, Transport } from './http.js';

/** The id of a record: a whole number for most resources, a text for custom attributes and logs. */
export type RecordId = string | number;

/** A link to another record in `relationships`. */
export const link = z.looseObject({ type: z.string().optional(), id: z.int() });

/** `relationships` with one linked record under a name. */
export const linkTo = z.looseObject({ data: link.nullish() }).nullish();

/** `{"data": …}`, the form of every single record. */
export const single = <T extends z.ZodType>(record: T) => z.looseObject({ data: record });

/**
 * Makes a call and parses its answer.
 *
 * @throws SimpleMdmError as the transport does, and of kind `malformed` with the path of the field when the answer has another shape.
 */
export async function fetchParsed<T extends z.ZodType>(
  transport: Transport,
  request: ApiRequest,
  schema: T,
): Promise<z.output<T>> {
  const answer = await transport(request);
  const parsed = schema.safeParse(answer.body);
  if (parsed.success) return parsed.data;
  throw malformed(request.method, answer, parsed.error);
}

function malformed(method: string, answer: ApiAnswer, error: z.ZodError): SimpleMdmError {
  const issue = error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? 'the body' : issue.path.join('.');
  return new SimpleMdmError({
    kind: 'malformed',
    account: answer.account,
    method,
    path: answer.path,
    status: answer.status,
    detail: `${where}: ${issue?.message ?? 'not of the documented form'}`,
    mayHaveTakenEffect: method !== 'GET',
  });
}

/** What narrows or places a page. */
export interface PageOptions {
  /** 1 to 100. */
  readonly limit?: number;
  /** The id of the last record of the page before. */
  readonly startingAfter?: RecordId;
}

/** One page of a list. */
export interface Page<T> {
  readonly data: T[];
  readonly hasMore: boolean;
}

const LARGEST_PAGE = 100;

/** One page of a list (API reference, Pagination). */
export async function fetchPage<T extends z.ZodType<{ id: RecordId }>>(
  transport: Transport,
  request: Omit<ApiRequest, 'method'>,
  record: T,
  { limit = LARGEST_PAGE, startingAfter }: PageOptions = {},
): Promise<Page<z.output<T>>> {
  const answer = await fetchParsed(
    transport,
    { ...request, method: 'GET', query: { ...request.query, limit, starting_after: startingAfter } },
    // Some lists (custom attribute values) leave has_more out: they have one page.
    z.looseObject({ data: z.array(record), has_more: z.boolean().default(false) }),
  );
  return { data: answer.data, hasMore: answer.has_more };
}

/** Every record of a list, page after page, each page fetched when it is reached. */
export async function* fetchAll<T extends z.ZodType<{ id: RecordId }>>(
  transport: Transport,
  request: Omit<ApiRequest, 'method'>,
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
