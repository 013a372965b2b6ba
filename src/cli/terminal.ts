import { styleText } from 'node:util';
import { escapedJson, severalLines, singleLine } from '../telemetry/deceptive-characters.js';

type Style = Parameters<typeof styleText>[0];

/** Styles text for a terminal. */
export type Paint = (style: Style, text: string) => string;

/** Colors for a terminal, plain text elsewhere. FORCE_COLOR and NO_COLOR (https://no-color.org) override. */
export function paintFor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): Paint {
  const forced = env['FORCE_COLOR'];
  const colored =
    forced !== undefined ? forced !== '0' : stream.isTTY === true && (env['NO_COLOR'] ?? '') === '';
  return (style, text) => (colored ? styleText(style, text, { validateStream: false }) : text);
}

/** Text from outside, on one line and without control characters: a webhook must not move the cursor. */
export function escapeControlCharacters(text: string): string {
  return singleLine(text);
}

/** A value as JSON for `--json`. A terminal that shows it obeys no escape sequence in it. */
export function jsonText(value: unknown): string {
  return escapedJson(JSON.stringify(value, undefined, 2));
}

/**
 * The last check of what a command prints: nothing but colors may control the terminal.
 *
 * Each command makes the texts from outside safe by {@link escapeControlCharacters}; this covers a text that one of them forgets.
 */
export function safeOutput(text: string): string {
  return text
    .split(COLOR)
    .map((part, index) => (index % 2 === 0 ? severalLines(part) : part))
    .join('');
}

// eslint-disable-next-line no-control-regex -- the escape character starts a color
const COLOR = /(\u001b\[\d+m)/;

/** A reason, with its error code when the reason is a problem: `<reason> [code]`. */
export function reasonText({
  reason,
  code,
}: {
  readonly reason?: string | undefined;
  readonly code?: string | undefined;
}): string {
  if (reason === undefined) return '';
  return escapeControlCharacters(code === undefined ? reason : `${reason} [${code}]`);
}

/** Aligns the columns of rows, two spaces apart. Color codes have no width. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>(
    (known, row) => row.map((cell, index) => Math.max(known[index] ?? 0, plain(cell).length)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, index) =>
        index === row.length - 1
          ? cell
          : cell + ' '.repeat(Math.max(0, (widths[index] ?? 0) - plain(cell).length)),
      )
      .join('  ')
      .trimEnd(),
  );
}

function plain(text: string): string {
  // eslint-disable-next-line no-control-regex -- matches the escape character
  return text.replace(/\u001b\[\d+m/g, '');
}
