import { notFound, ok, type Answer } from '../api/answer.js';
import { numberInPath, type Call } from '../api/route.js';

/** Looks up the record that `:id`, or another number in the path, names and answers with it; 404 where there is none. */
export function withRecord<R>(
  call: Call,
  records: ReadonlyMap<number, R>,
  answer: (record: R) => Answer,
  name = 'id',
): Answer {
  const id = numberInPath(call, name);
  const record = id === undefined ? undefined : records.get(id);
  return record === undefined ? notFound() : answer(record);
}

/** Answers with the one record that the path names (every "Retrieve one" of the reference). */
export function retrieve<R>(
  call: Call,
  records: ReadonlyMap<number, R>,
  show: (record: R) => unknown,
): Answer {
  return withRecord(call, records, (record) => ok({ data: show(record) }));
}
