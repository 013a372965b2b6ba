import { z } from 'zod';
import { deviceReferenceOf } from '../events/webhook-types.js';
import { alsoRecordWarnings } from '../simplemdm/answer-warnings.js';
import type { AnswerWarning } from '../simplemdm/answer-warnings.js';
import { knownDevice } from './device.js';
import type { FactContext } from './fact.js';
import { nullWhenNotFound } from './null-when-not-found.js';

/** The SimpleMDM id of the event's device, from the webhook or by serial number; undefined when SimpleMDM does not know the device. */
export async function deviceIdOf({
  event,
  fact,
}: Pick<FactContext, 'event' | 'fact'>): Promise<number | undefined> {
  return deviceReferenceOf(event)?.id ?? knownDevice.parse(await fact('device'))?.id;
}

const withSerialNumber = z.looseObject({ serial_number: z.string().nullish() }).nullable();

/** The serial number of the event's device, from the webhook or its record; undefined when neither has one. */
export async function serialNumberOf({
  event,
  fact,
}: Pick<FactContext, 'event' | 'fact'>): Promise<string | undefined> {
  const inEvent = deviceReferenceOf(event)?.serialNumber?.trim() ?? '';
  if (inEvent !== '') return inEvent;
  const inRecord = withSerialNumber.parse(await fact('device'))?.serial_number?.trim() ?? '';
  // An empty one filters nothing: the API would return the log of the whole account.
  return inRecord === '' ? undefined : inRecord;
}

/**
 * Reads a list. A record without a usable id cannot be read, but is there: `null` stands for it, so that a condition on the absence of a
 * record is undecided, and not true.
 */
export async function listWithGaps<T>(read: () => Promise<T[]>): Promise<(T | null)[]> {
  const unread: AnswerWarning[] = [];
  const items = await alsoRecordWarnings(unread, read);
  return [...items, ...unread.flatMap(({ kind }) => (kind === 'unreadable_record' ? [null] : []))];
}

/** A list that belongs to the event's device, with null for a record that cannot be read; null without a device. */
export async function listForDevice<T, R>(
  context: FactContext,
  list: (deviceId: number) => AsyncIterable<T> | Promise<readonly T[]>,
  convert: (item: T) => R,
): Promise<(R | null)[] | null> {
  const id = await deviceIdOf(context);
  if (id === undefined) return null;
  return nullWhenNotFound(() =>
    listWithGaps(async () => {
      const items: R[] = [];
      for await (const item of await list(id)) items.push(convert(item));
      return items;
    }),
  );
}
