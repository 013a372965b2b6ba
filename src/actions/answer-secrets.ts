import { jsonScalars } from './json-scalars.js';

/** The names of fields whose values are secret in every answer. */
export const DEFAULT_SECRET_NAMES: readonly string[] = [
  'access_token',
  'refresh_token',
  'id_token',
  'password',
  'secret',
  'client_secret',
  'api_key',
];

/** A value that was masked, and where it belongs. */
export interface MaskedValue {
  /** Names and positions from the outermost value inwards. */
  readonly path: readonly (string | number)[];
  readonly value: string | number;
}

/** A value without its secrets. */
export interface Masked {
  readonly value: unknown;
  /** What to put back to get the original. */
  readonly masked: readonly MaskedValue[];
  /** The secret texts themselves, to mask them elsewhere. */
  readonly secrets: readonly string[];
}

/** The rest of a longer answer is dropped, which may cut a secret in two. */
export const MAX_ANSWER_CHARACTERS = 16_384;

const MASK = '[redacted]';
/** A shorter text occurs by chance in other texts. */
const MIN_SECRET_LENGTH = 6;
/** Words in prose after a name (`password: required`) are hardly secrets, unless they are long. */
const MIN_WORD_LENGTH = 16;
/** JSON in a text in JSON in a text: each level doubles the backslashes, so nobody nests deeper. */
const MAX_TEXT_DEPTH = 5;

/**
 * Masks the values of fields with these names, whatever their case and separators: `accessToken` and `Access-Token` are `access_token`. Masks them
 * also in texts (`access_token=…`, JSON within a text, JSON that is cut off), and wherever the same value occurs again.
 *
 * @param names - In addition to {@link DEFAULT_SECRET_NAMES}.
 * @param known - Secrets that are masked under any name.
 */
export function maskSecrets(value: unknown, names: readonly string[], known: Iterable<string> = []): Masked {
  const all = [...DEFAULT_SECRET_NAMES, ...names];
  const plainNames = new Set(all.map(plain));
  const isSecretName = (name: string): boolean => plainNames.has(plain(name));
  const inText = patternFor(all);
  const secrets = new Set<string>();
  collect(value, false);
  const again = [...new Set([...secrets, ...known])]
    .filter(({ length }) => length >= MIN_SECRET_LENGTH)
    .sort((a, b) => b.length - a.length);
  const repeats = new Set(again);
  const masked: MaskedValue[] = [];
  return { value: mask(value, [], false), masked, secrets: [...secrets] };

  function collect(inner: unknown, isSecret: boolean): void {
    if (typeof inner === 'object' && inner !== null) {
      const inList = Array.isArray(inner);
      for (const [name, member] of Object.entries(inner))
        collect(member, isSecret || (!inList && isSecretName(name)));
    } else if (isSecret && (typeof inner === 'string' || typeof inner === 'number')) {
      if (inner !== '') secrets.add(String(inner));
    } else if (typeof inner === 'string') collectInText(inner, 0);
  }

  function collectInText(text: string, depth: number): void {
    for (const { value: scalar, isText, isBelowName } of jsonScalars(text, isSecretName)) {
      if (isBelowName && isSecretScalar(scalar, isText)) secrets.add(scalar);
      else if (isText && depth < MAX_TEXT_DEPTH) collectInText(scalar, depth + 1);
    }
    for (const found of text.matchAll(inText)) {
      const secret = unquoted(found[2] ?? '');
      if (secret !== '' && (!/^[A-Za-z]+$/.test(secret) || secret.length >= MIN_WORD_LENGTH))
        secrets.add(secret);
    }
  }

  function mask(inner: unknown, path: MaskedValue['path'], isSecret: boolean): unknown {
    if (Array.isArray(inner))
      return inner.map((member: unknown, index) => mask(member, [...path, index], isSecret));
    if (typeof inner === 'object' && inner !== null) {
      return Object.fromEntries(
        Object.entries(inner).map(([name, member]) => [
          name,
          mask(member, [...path, name], isSecret || isSecretName(name)),
        ]),
      );
    }
    if ((typeof inner !== 'string' && typeof inner !== 'number') || inner === '') return inner;
    const shown =
      isSecret || repeats.has(String(inner)) ? MASK : typeof inner === 'string' ? maskText(inner, 0) : inner;
    if (shown !== inner) masked.push({ path, value: inner });
    return shown;
  }

  function maskText(text: string, depth: number): string {
    const named = maskJsonText(text, depth).replace(inText, (_found, name: string, given: string) => {
      const quote = /^\\*["']/.exec(given)?.[0] ?? '';
      return `${name}${quote}${MASK}${quote}`;
    });
    const whole = again.reduce((shown, secret) => shown.split(secret).join(MASK), named);
    return text.length < MAX_ANSWER_CHARACTERS ? whole : again.reduce(withoutBeginningAtEnd, whole);
  }

  function maskJsonText(text: string, depth: number): string {
    let shown = '';
    let copiedTo = 0;
    for (const { start, end, value: scalar, isText, isBelowName } of jsonScalars(text, isSecretName)) {
      const isSecret = isBelowName && isSecretScalar(scalar, isText);
      if (!isSecret && (!isText || depth >= MAX_TEXT_DEPTH)) continue;
      const masked = isSecret ? MASK : maskText(scalar, depth + 1);
      if (masked === scalar) continue;
      shown += text.slice(copiedTo, start) + (isText ? JSON.stringify(masked) : masked);
      copiedTo = end;
    }
    return shown + text.slice(copiedTo);
  }
}

/** Masks the beginning of a secret at the end of a text. */
function withoutBeginningAtEnd(text: string, secret: string): string {
  for (let length = secret.length - 1; length >= MIN_SECRET_LENGTH; length -= 1) {
    if (text.endsWith(secret.slice(0, length))) return text.slice(0, -length) + MASK;
  }
  return text;
}

/** As in JSON that is not a text: null, a boolean and an empty text say nothing. */
function isSecretScalar(value: string, isText: boolean): boolean {
  return isText ? value !== '' : !['null', 'true', 'false'].includes(value);
}

/** Puts masked values back. A place that does not exist any more is passed over. */
export function unmask(value: unknown, masked: readonly MaskedValue[]): unknown {
  return masked.reduce((whole, { path, value: original }) => withValueAt(whole, path, original), value);
}

/** Leaves out each field with a mask in it: a template that names one fails then. In a list, null stands for it. */
export function withoutMasks(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => (isMasked(item) ? null : withoutMasks(item)));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) =>
      isMasked(member) ? [] : [[name, withoutMasks(member)]],
    ),
  );
}

function isMasked(value: unknown): boolean {
  return typeof value === 'string' && value.includes(MASK);
}

function withValueAt(value: unknown, path: MaskedValue['path'], original: string | number): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return original;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, first)) return value;
  if (Array.isArray(value))
    return value.map((member: unknown, index) =>
      index === first ? withValueAt(member, rest, original) : member,
    );
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === first ? withValueAt(member, rest, original) : member,
    ]),
  );
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/** A name, `=` or `:`, and a value, as in forms, headers and JSON. */
function patternFor(names: readonly string[]): RegExp {
  const alternatives = names.map((name) =>
    name
      .split(/[^\p{L}\p{N}]+|(?<=[a-z0-9])(?=[A-Z])/u)
      .filter((word) => word !== '')
      .join('[_\\- ]?'),
  );
  const name = alternatives.filter((alternative) => alternative !== '').join('|');
  return new RegExp(
    `((?<![\\p{L}\\p{N}_-])(?:${name})\\\\{0,9}["']?\\s{0,9}[:=]\\s{0,9})("(?:[^"\\\\]|\\\\[^])*(?:"|\\\\?$)|'[^']*(?:'|$)|\\\\+"[^"\\\\]*(?:\\\\+"|\\\\*$)|[^\\s&,;"'<>{}[\\]]+)`,
    'giu',
  );
}

/** A text without its quotes. The second one may be cut off. */
function unquoted(text: string): string {
  const quote = /^\\*["']/.exec(text)?.[0];
  if (quote === undefined) return text;
  return text.slice(
    quote.length,
    text.length > quote.length && text.endsWith(quote) ? -quote.length : undefined,
  );
}
