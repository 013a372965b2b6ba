import { isUtf8 } from 'node:buffer';
import type { Oddity } from '../events/oddity.js';

const UTF_8 = new TextDecoder();

/** The text of a body. */
export interface DecodedBody {
  readonly text: string;
  readonly oddity?: Oddity;
}

/**
 * Decodes the bytes of a body. JSON is UTF-8 (RFC 8259, section 8.1), so bytes that are valid UTF-8 are read as such, whatever the headers
 * say. A byte order mark is dropped.
 *
 * @param charset - From the content type.
 */
export function decodeBody(bytes: Uint8Array, charset: string | undefined): DecodedBody {
  const utf16 = utf16Of(bytes);
  if (utf16 !== undefined) return flagged(new TextDecoder(utf16).decode(bytes), `read as ${utf16}`);
  if (isUtf8(bytes)) return { text: UTF_8.decode(bytes) };
  const other = decoderFor(charset);
  return other === undefined
    ? flagged(UTF_8.decode(bytes), 'bytes that cannot be read are replaced by U+FFFD')
    : flagged(other.decode(bytes), `read as ${other.encoding}`);
}

function flagged(text: string, how: string): DecodedBody {
  return { text, oddity: { kind: 'encoding', text: `the body is not UTF-8: ${how}` } };
}

/** The first character of a webhook is in ASCII, so one of its two bytes in UTF-16 is zero, unless a byte order mark comes first. */
function utf16Of([first, second]: Uint8Array): string | undefined {
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0 && second !== 0 && second !== undefined) return 'utf-16be';
  return first !== 0 && second === 0 ? 'utf-16le' : undefined;
}

function decoderFor(charset: string | undefined) {
  if (charset === undefined) return undefined;
  try {
    const decoder = new TextDecoder(charset);
    return decoder.encoding === 'utf-8' ? undefined : decoder;
  } catch {
    return undefined;
  }
}
