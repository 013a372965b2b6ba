/**
 * A value within bounds: a longer text is cut, and larger JSON becomes null, because a part of it would be misleading.
 *
 * @param maxText - In characters.
 * @param maxJson - In characters.
 */
export function shortened(value: unknown, maxText: number, maxJson: number): unknown {
  if (typeof value === 'string') return value.length <= maxText ? value : `${value.slice(0, maxText)}…`;
  if (typeof value !== 'object' || value === null) return value;
  return JSON.stringify(value).length <= maxJson ? value : null;
}
