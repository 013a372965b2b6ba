import { createHash } from 'node:crypto';
import { displayLine } from './display-text.js';

/** PagerDuty allows 255 characters. */
const MAX_LENGTH = 255;

/** What a dedup key is made of. */
export interface KeyParts {
  readonly account: string;
  readonly rule: string;
  /** The id of the device at SimpleMDM, or its serial number. */
  readonly device: string | number | undefined;
  /** The rendered `key` of the rule; empty when the rule has none. */
  readonly ownKey: string;
}

/**
 * The dedup key of an alert: the same for every event, so that a later alert reaches the same incident. Account, rule and device by
 * default. A key of the rule replaces rule and device, so that two rules can share one.
 */
export function dedupKeyOf({ account, rule, device, ownKey }: KeyParts): string {
  const own = displayLine(ownKey, Infinity);
  const key = own === '' ? [account, rule, device ?? ''].join('/') : `${account}:${own}`;
  return key.length <= MAX_LENGTH ? key : hashOfKey(key);
}

/** A dedup key in 64 characters that every protocol accepts. */
export const hashOfKey = (key: string): string => createHash('sha256').update(key).digest('hex');
