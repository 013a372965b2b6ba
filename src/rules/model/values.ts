/** What rules are evaluated on: `event`, the facts by name, and `steps`. */
export type Values = Readonly<Record<string, unknown>>;

/** The member of a record by name, own members only; undefined for anything that is not a record. */
export function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}

/** The value at a path such as `device`, `firewall`, `enabled`; undefined where it ends early. */
export function valueAt(values: Values, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => member(value, name), values);
}

const LONGEST_SHOWN = 80;

/** A value as a short text for a trace. */
export function show(value: unknown): string {
  if (value === undefined) return 'not there';
  const text = JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'bigint' ? Number(inner) : inner,
  );
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}…`;
}
