import { z } from 'zod';
import type { ApiResponse } from './api-response.js';
import { recordWarning, resourceOf } from './answer-warnings.js';
import type { AnswerWarning } from './answer-warnings.js';
import { shapeProblem } from './answer-shape.js';
import type { ExpectedBody } from './answer-shape.js';
import { SimpleMdmError } from './errors.js';
import { parseRecord } from './parse-record.js';
import type { UnreadableField } from './parse-record.js';
import type { ApiRequest } from './request.js';
import type { Transport } from './transport.js';

/** The request and its answer. */
export interface Answer {
  readonly transport: Transport;
  readonly request: Pick<ApiRequest, 'method' | 'route'>;
  readonly response: ApiResponse;
}

/**
 * The record in the body `{"data": …}`, parsed field by field.
 *
 * @throws SimpleMdmError of kind `malformed` when the record has no usable id.
 */
export function readRecord<T extends z.ZodType>(
  answer: Answer,
  schema: T,
  expected: ExpectedBody,
): z.output<T> {
  const parsed = parseRecord(schema, dataIn(answer, expected));
  if (parsed.problem !== undefined) throw failure(answer, 'malformed', parsed.problem);
  warnAboutFields(answer, parsed.record, parsed.unreadable);
  return parsed.record;
}

/** The records in the body `{"data": […]}`. One without a usable id is left out with a warning. */
export function readRecords<T extends z.ZodType>(
  answer: Answer,
  schema: T,
): { records: z.output<T>[]; received: number } {
  const items = z.array(z.unknown()).parse(dataIn(answer, 'list'));
  const records = items.flatMap((item): z.output<T>[] => {
    const parsed = parseRecord(schema, item);
    if (parsed.problem === undefined) {
      warnAboutFields(answer, parsed.record, parsed.unreadable);
      return [parsed.record];
    }
    const resource = resourceOf(answer.request.route);
    const text = `${resource}: a record without a usable id was left out (${parsed.problem})`;
    warn(answer.transport, { kind: 'unreadable_record', resource, field: 'id', text });
    return [];
  });
  return { records, received: items.length };
}

/** Reports a list whose pages do not come to an end, and makes the error for it. */
export function incompleteList(answer: Answer, problem: string): SimpleMdmError {
  const resource = resourceOf(answer.request.route);
  const text = `${resource}: the list is incomplete: ${problem}`;
  warn(answer.transport, { kind: 'incomplete_list', resource, text });
  return failure(answer, 'incomplete', problem);
}

function dataIn(answer: Answer, expected: ExpectedBody): unknown {
  const { body } = answer.response;
  const problem = shapeProblem(body, expected);
  // The transport has checked the shape. A transport of a test may not have.
  if (problem !== undefined) throw failure(answer, 'foreign', problem);
  return z.looseObject({ data: z.unknown() }).parse(body).data;
}

function failure(
  { request: { method }, response: { account, path, status } }: Answer,
  kind: 'foreign' | 'malformed' | 'incomplete',
  detail: string,
): SimpleMdmError {
  const mayHaveTakenEffect = method !== 'GET';
  return new SimpleMdmError({
    kind,
    account,
    method,
    path,
    detail,
    mayHaveTakenEffect,
    ...(kind === 'malformed' && { status }),
  });
}

const identified = z.looseObject({ id: z.union([z.string(), z.number()]) });

function warnAboutFields(
  { transport, request }: Answer,
  record: unknown,
  unreadable: readonly UnreadableField[],
): void {
  if (unreadable.length === 0) return;
  const resource = resourceOf(request.route);
  const recordId = identified.safeParse(record).data?.id;
  for (const { field, expected, found } of unreadable) {
    const subject = recordId === undefined ? resource : `${resource} ${recordId}`;
    const outcome = field.endsWith('[]') ? 'left out' : 'treated as unknown';
    const text = `${subject}: ${field} should be ${expected} and is ${found}: ${outcome}`;
    warn(transport, {
      kind: 'unreadable_field',
      resource,
      field,
      text,
      ...(recordId !== undefined && { recordId }),
    });
  }
}

function warn(transport: Transport, warning: AnswerWarning): void {
  recordWarning(warning);
  transport.onWarning?.(warning);
}
