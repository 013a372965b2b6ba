import { styleText } from 'node:util';

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
  // eslint-disable-next-line no-control-regex -- matches control characters
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}

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
