import { severalLines, singleLine } from './deceptive-characters.js';

/**
 * A log line whose texts are safe to show on a terminal: the readable form of the log prints them as they are. A message stays on its
 * line, so that a device name cannot write a line of its own. Stacks keep their lines.
 */
export function terminalLine(line: string): string {
  try {
    return `${JSON.stringify(safe(JSON.parse(line), 'line'))}\n`;
  } catch {
    return severalLines(line);
  }
}

function safe(value: unknown, name: string): unknown {
  if (typeof value === 'string') return name === 'stack' ? severalLines(value) : singleLine(value);
  if (Array.isArray(value)) return value.map((item) => safe(item, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => [singleLine(key), safe(inner, key)]),
  );
}
