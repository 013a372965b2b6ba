/** A variable that a Compose file refers to. */
export interface Reference {
  readonly name: string;
  readonly operator: '' | ':-' | ':?';
  /** The default, or the message of a required variable. */
  readonly text: string;
}

const REFERENCE = /\$\$|\$\{([A-Za-z_]\w*)(?:(:-|:\?)([^}]*))?\}/g;

/** The variables that a string of a Compose file refers to. `$$` is an escaped dollar sign. */
export function referencesIn(text: string): Reference[] {
  return [...text.matchAll(REFERENCE)].flatMap(([, name, operator, rest]) =>
    name === undefined
      ? []
      : [{ name, operator: operator === ':-' || operator === ':?' ? operator : '', text: rest ?? '' }],
  );
}

/**
 * Interpolates a string as Compose does.
 *
 * @throws Error with the message of a required variable that is not set.
 */
export function interpolate(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(
    REFERENCE,
    (whole, name: string | undefined, operator: string | undefined, rest: string | undefined) => {
      if (name === undefined || whole === '$$') return '$';
      const value = env[name] ?? '';
      if (value !== '') return value;
      if (operator === ':?') throw new Error(`required variable ${name} is missing a value: ${rest ?? ''}`);
      return rest ?? '';
    },
  );
}
