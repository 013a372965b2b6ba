/** A part of a rendered text: written by the author, or a value. */
export interface TextPart {
  readonly text: string;
  readonly isValue: boolean;
}

/** What RFC 3986 reserves or forbids, encoded; also `!'()*`, which `encodeURIComponent` leaves. */
function percentEncoded(text: string): string {
  return encodeURIComponent(wellFormed(text)).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** A lone surrogate cannot be encoded as UTF-8. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** Encodes a value, and keeps what the author of the template encoded. */
function encodedValue(value: string, encodedPercent: string): string {
  const [first = '', ...rest] = value.split(encodedPercent);
  return (
    percentEncoded(first) +
    rest
      .map((piece) =>
        /^[0-9A-Fa-f]{2}/.test(piece)
          ? `%${piece.slice(0, 2)}${percentEncoded(piece.slice(2))}`
          : percentEncoded(`%${piece}`),
      )
      .join('')
  );
}

/** The scheme and the authority of a URL, up to the beginning of its path. */
const ORIGIN = /^\s*[a-z][a-z0-9+.-]*:[\\/]{2}[^\\/?#]*/i;

type UrlPart = 'origin' | 'path' | 'query' | 'fragment';

/** The part of a URL that the next character belongs to. */
function partAfter(url: string): UrlPart {
  const origin = ORIGIN.exec(url)?.[0];
  const rest = origin === undefined ? '' : url.slice(origin.length);
  if (rest === '') return 'origin';
  if (rest.includes('#')) return 'fragment';
  return rest.includes('?') ? 'query' : 'path';
}

/** Encodes the values of a URL for their place: a value stays within its path segment, its query value or the fragment. */
export function encodeUrl(
  parts: readonly TextPart[],
  { encodedPercent, mayBeWhole }: { readonly encodedPercent: string; readonly mayBeWhole: boolean },
): string {
  let url = '';
  /** Where the values in the path start. */
  const inPath: number[] = [];
  for (const { text, isValue } of parts) {
    if (!isValue) {
      url += text;
      continue;
    }
    const part = partAfter(url);
    if (part !== 'origin') {
      if (part === 'path') inPath.push(url.length);
      url += encodedValue(text, encodedPercent);
    } else if (mayBeWhole && url.trim() === '') url += text.replaceAll(encodedPercent, '%');
    else throw new Error(VALUE_IN_ORIGIN);
  }
  checkSegments(url, inPath);
  return url;
}

/** Why a URL is refused whose host a value would decide. */
export const VALUE_IN_ORIGIN =
  'a value cannot be the scheme, host or port of a URL: write them out, such as https://tickets.example.org/{{ … }}; for an address from a response, say where it may lead: origins: [https://tickets.example.org]';

/** No encoding keeps `..` from leading one folder up, and an empty segment asks for another resource: `DELETE /devices/`. */
function checkSegments(url: string, values: readonly number[]): void {
  const start = ORIGIN.exec(url)?.[0].length ?? 0;
  const path = /^[^?#]*/.exec(url.slice(start))?.[0] ?? '';
  let from = start;
  for (const segment of path.split(/[\\/]/)) {
    const to = from + segment.length;
    const hasValue = values.some((at) => at >= from && at <= to);
    if (hasValue && /^(?:\.|%2e){0,2}$/i.test(segment))
      throw new Error(
        segment === ''
          ? 'a value in the path of the URL is empty: the URL would name something else'
          : `a value makes "${segment}" of a part of the path: the URL would name something else`,
      );
    from = to + 1;
  }
}

/**
 * Encodes the values of an HTTP header. A header has ASCII characters only (RFC 9110, section 5.5), and device names have any: other
 * characters are percent-encoded as UTF-8. So is a % that begins an escape sequence, so that decoding gives the value.
 */
export function encodeForHeader(parts: readonly TextPart[], encodedPercent: string): string {
  const encoded = (text: string): string =>
    wellFormed(text).replace(/[^\u0020-\u007e]|%(?=[0-9A-Fa-f]{2})/gu, (character) =>
      encodeURIComponent(character),
    );
  return parts
    .map(({ text, isValue }) => (isValue ? text.split(encodedPercent).map(encoded).join('%') : text))
    .join('');
}
