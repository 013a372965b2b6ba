import { readLines } from './lines.js';

/**
 * What is left of the reference without its sentences: headings, calls, examples as they are, and the names of arguments. That is
 * all the suite needs, and it is facts alone.
 */
export function withoutProse(reference: string): string {
  const kept = readLines(reference).flatMap((line): string[] => {
    if (line.kind === 'prose') return [];
    if (line.kind === 'argument') return [`${line.name} ${line.presence}`.trim()];
    // Headings are told by the blank lines around them.
    if (line.kind === 'heading') return ['', line.text, ''];
    return [line.text];
  });
  return `${kept
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}
