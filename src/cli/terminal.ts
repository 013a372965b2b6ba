import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Colours for a terminal; plain text elsewhere (NO_COLOR and FORCE_COLOR are honoured). */
export type Paint = (style: Style, text: string) => string;

/** A paint for standard output. */
export function paintFor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): Paint {
  const forced = env['FORCE_COLOR'];
  const coloured =
    forced !== undefined ? forced !== '0' : stream.isTTY === true && (env['NO_COLOR'] ?? '') === '';
  return (style, text) => (coloured ? styleText(style, text, { validateStream: false }) : text);
}

/** A text from outside on one line and without control characters: what a webhook says must not move the cursor. */
export function escapeControlCharacters(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}

/** Rows with their columns lined up, two spaces between them; widths are those of the plain texts. */
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
  // eslint-disable-next-line no-control-regex -- the escape character is what is looked for
  return text.replace(/\u001b\[\d+m/g, '');
}
