/** The values that rules are evaluated on: `event`, the facts by name, and `steps`. */
export type Values = Readonly<Record<string, unknown>>;

/** An own member of a record; undefined when the value is not a record. */
export function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}

/** The value at a path such as `device`, `firewall`, `enabled`; undefined when the path ends early. */
export function valueAt(values: Values, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => member(value, name), values);
}

const MAX_SHOWN_LENGTH = 80;

/** A value as JSON of at most 80 characters, for traces. */
export function show(value: unknown): string {
  if (value === undefined) return 'missing';
  const text = JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'bigint' ? Number(inner) : inner,
  );
  return text.length <= MAX_SHOWN_LENGTH ? text : `${text.slice(0, MAX_SHOWN_LENGTH)}…`;
}

/** Calls a function for every string within a value, with its path. */
export function forEachString(
  value: unknown,
  path: readonly (string | number)[],
  visit: (text: string, path: readonly (string | number)[]) => void,
): void {
  if (typeof value === 'string') visit(value, path);
  else if (Array.isArray(value)) value.forEach((item, index) => forEachString(item, [...path, index], visit));
  else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) forEachString(inner, [...path, key], visit);
  }
}
