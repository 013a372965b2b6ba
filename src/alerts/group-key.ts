import { createHash } from 'node:crypto';
import { canonicalJson } from '../events/fingerprint.js';
import { isImmediate, labelsOf } from './alert.js';
import type { Alert } from './alert.js';
import type { DeliveryPolicy } from './delivery-policy.js';

/*
 * The key of a group of alerts in Redis. A group by labels has the JSON of its labels as its key, which starts with "{". Other
 * groups start with a word and a colon.
 */

const IMMEDIATE = 'immediate:';
const PER_KEY = 'key:';
const TO = /^to:([0-9a-f]{64}):/;

/** The group that an alert joins: one of its own, that of its dedup key, or that of its recipients and labels. */
export function groupKeyOf(
  alert: Alert,
  { groupBy, perKey }: Pick<DeliveryPolicy, 'groupBy' | 'perKey'>,
): string {
  if (isImmediate(alert)) return IMMEDIATE + alert.id;
  if (perKey && alert.key !== undefined) return PER_KEY + alert.key;
  const labels = labelsOf(alert);
  const byLabels = canonicalJson(Object.fromEntries(groupBy.map((name) => [name, labels[name] ?? ''])));
  return alert.to === undefined ? byLabels : `to:${hashOf(alert.to)}:${byLabels}`;
}

/** Whether the group is one alert that is sent at once. */
export const isImmediateGroup = (key: string): boolean => key.startsWith(IMMEDIATE);

/** Groups with different audiences have different recipients: no message may contain both. */
export const audienceOf = (key: string): string => TO.exec(key)?.[1] ?? '';

const hashOf = (to: readonly string[]): string =>
  createHash('sha256')
    .update(canonicalJson([...new Set(to)].sort()))
    .digest('hex');
