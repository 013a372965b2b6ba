/** Masks every secret in a string. */
export type Redact = (text: string) => string;

/** Masks secrets wherever the service writes: logs, traces, queues, errors. */
export interface Redaction {
  readonly redact: Redact;
  /** Adds secrets, such as those of newly loaded rules. */
  readonly add: (secrets: Iterable<string | undefined>) => void;
}

const MASK = '[redacted]';

/** Shorter values are too common in ordinary text: masking them would garble logs and protect nothing. */
const MIN_SECRET_LENGTH = 6;

/** Creates a redaction that masks each secret as is, URL-encoded, in JSON, and in Basic credentials. */
export function createRedaction(secrets: Iterable<string | undefined>): Redaction {
  const forms = new Set<string>();
  let pattern: RegExp | undefined;
  const add: Redaction['add'] = (more) => {
    const before = forms.size;
    for (const secret of more) {
      if (secret === undefined || secret.length < MIN_SECRET_LENGTH) continue;
      for (const form of formsOf(secret)) forms.add(form);
    }
    if (forms.size === before) return;
    // Longest first, so that a secret that contains another one is masked completely.
    const alternatives = [...forms]
      .sort((a, b) => b.length - a.length)
      .map((form) => form.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
    pattern = alternatives.length === 0 ? undefined : new RegExp(alternatives.join('|'), 'g');
  };
  add(secrets);
  return { redact: (text) => (pattern === undefined ? text : text.replace(pattern, MASK)), add };
}

function formsOf(secret: string): string[] {
  const inJson = JSON.stringify(secret).slice(1, -1);
  return [
    secret,
    encodeURIComponent(secret),
    // As templates encode a value in a URL.
    encodeURIComponent(secret).replace(
      /[!'()*]/g,
      (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
    ),
    new URLSearchParams({ '': secret }).toString().slice(1),
    inJson,
    // A log line that quotes a body holds JSON inside JSON.
    JSON.stringify(inJson).slice(1, -1),
    Buffer.from(`${secret}:`).toString('base64'),
  ];
}

/**
 * Masks secrets in every string and property name of a JSON value.
 * Serialized JSON cannot be masked: a secret of digits could be part of a number, and the mask would break the JSON.
 */
export function redactJson(redact: Redact, value: unknown): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactJson(redact, item));
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [redact(name), redactJson(redact, member)]),
  );
}

/** Masks secrets in a line of JSON and keeps it valid JSON. */
export function redactJsonLine(redact: Redact, line: string): string {
  const masked = redact(line);
  if (masked === line) return line;
  try {
    return `${JSON.stringify(redactJson(redact, JSON.parse(line)))}\n`;
  } catch {
    // Not JSON: a broken line is better than a leaked secret.
    return masked;
  }
}
