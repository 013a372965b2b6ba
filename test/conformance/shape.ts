/** The JSON type of a value. */
export function jsonType(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return jsonType(value) === 'object';
}

/** How the shape of a response differs from an example. */
export interface Differences {
  /** Paths that only the example has. */
  readonly missing: string[];
  /** Paths that only the response has. */
  readonly added: string[];
  /** Paths whose JSON type differs. Unless strict, null matches any type. */
  readonly changed: string[];
}

/**
 * Compares the shape of a response with an example: keys and JSON types, not values.
 * In lists, compares records of the same id, else with the first record.
 */
export function differences(example: unknown, response: unknown, strictNulls = false): Differences {
  const found = { missing: new Set<string>(), added: new Set<string>(), changed: new Set<string>() };
  compare(example, response, '');
  return { missing: [...found.missing], added: [...found.added], changed: [...found.changed] };

  function compare(expected: unknown, actual: unknown, path: string): void {
    const types = [jsonType(expected), jsonType(actual)];
    if (types[0] !== types[1]) {
      if (strictNulls || !types.includes('null')) found.changed.add(`${path}: ${types.join(' became ')}`);
      return;
    }
    if (Array.isArray(expected) && Array.isArray(actual)) compareLists(expected, actual, `${path}[]`);
    if (isObject(expected) && isObject(actual)) {
      for (const [key, value] of Object.entries(expected)) {
        if (key in actual) compare(value, actual[key], `${path}.${key}`);
        else found.missing.add(`${path}.${key}`);
      }
      for (const key of Object.keys(actual)) if (!(key in expected)) found.added.add(`${path}.${key}`);
    }
  }

  function compareLists(expected: readonly unknown[], actual: readonly unknown[], path: string): void {
    for (const item of expected) {
      const same = isObject(item)
        ? actual.find((other) => isObject(other) && other['id'] === item['id'])
        : undefined;
      const other = same ?? actual[0];
      if (other === undefined) found.missing.add(path);
      else compare(item, other, path);
    }
  }
}
