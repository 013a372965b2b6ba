import { readLines } from './lines.js';

/**
 * The reference without its prose: headings, calls, examples and the names of arguments. The tests need no more, and the result
 * contains only facts.
 */
export function withoutProse(reference: string): string {
  const kept = readLines(reference).flatMap((line): string[] => {
    if (line.kind === 'prose') return [];
    if (line.kind === 'argument') return [`${line.name} ${line.presence}`.trim()];
    // Blank lines around a line mark a heading.
    if (line.kind === 'heading') return ['', line.text, ''];
    return [line.text];
  });
  return `${kept
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}
