import { z } from 'zod';
import { shown } from './oddity.js';
import type { Oddity } from './oddity.js';

/** When a webhook says that its event happened. */
export interface WebhookTime {
  /** ISO 8601 with offset; undefined when the webhook names no usable time. */
  readonly at: string | undefined;
  readonly oddity?: Oddity;
}

/** As `z.iso.datetime`, without its cost. */
const ISO_TIME = z.regexes.datetime({ offset: true });

/**
 * Reads the `at` of a webhook. The documented form stays as it is (SimpleMDM API reference, section Webhooks). Other forms that name one
 * moment are converted and flagged.
 */
export function readTime(value: unknown): WebhookTime {
  if (typeof value === 'string' && ISO_TIME.test(value)) return { at: value };
  const at = timeFrom(value);
  if (at === undefined) {
    return {
      at,
      oddity: {
        kind: 'at',
        text: `at is ${value === undefined ? 'missing' : `${shown(value)}, not a time`}: the time of receipt is used`,
      },
    };
  }
  return { at, oddity: { kind: 'at', text: `at is ${shown(value)}, read as ${at}` } };
}

function timeFrom(value: unknown): string | undefined {
  if (typeof value === 'number') return timeOfEpoch(value);
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  if (/^\d{9,13}(?:\.\d+)?$/.test(text)) return timeOfEpoch(Number(text));
  return timeOfIsoLikeText(text) ?? timeOfMailText(text);
}

/** Epoch seconds are below this number until the year 5138, epoch milliseconds are above it since 1973. */
const FIRST_MILLISECONDS = 1e11;
/** Smaller numbers are counters or years rather than times. */
const FIRST_SECONDS = 1e8;

function timeOfEpoch(value: number): string | undefined {
  const ms = value < FIRST_MILLISECONDS ? value * 1000 : value;
  // 8.64e15 ms is the last time of JavaScript, long after the years that ISO 8601 writes with four digits.
  return value < FIRST_SECONDS || ms > 253_402_300_799_999 ? undefined : new Date(ms).toISOString();
}

const ISO_LIKE =
  /^(\d{4}-\d\d-\d\d)(?:[T ]+(\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?)?(?: ?(Z|UTC|GMT|[+-]\d\d:?\d\d))?$/i;

/** `2000-01-01 12:00:00 UTC`, `2000-01-01T12:00:00`, `2000-01-01`: without an offset, read as UTC. */
function timeOfIsoLikeText(text: string): string | undefined {
  const parts = ISO_LIKE.exec(text);
  if (parts === null) return undefined;
  const [, date = '', time = '00:00:00', fraction, zone = 'Z'] = parts;
  const offset = /^[A-Z]/i.test(zone) ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(-2)}`;
  const seconds = time.length === 5 ? `${time}:00` : time;
  const iso = `${date}T${seconds}${fraction === undefined ? '' : `.${fraction}`}${offset}`;
  return ISO_TIME.test(iso) ? iso : undefined;
}

const MAIL = /^[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:GMT|UTC|[+-]\d{4})$/;

/** `Sat, 01 Jan 2000 12:00:00 GMT` (RFC 5322, section 3.3; also the dates of HTTP). */
function timeOfMailText(text: string): string | undefined {
  const ms = MAIL.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}
