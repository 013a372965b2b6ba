/** Replaces every secret in a text. */
export type Redact = (text: string) => string;

/** Masks secrets wherever they would come out: logs, traces, queues, errors. */
export interface Redaction {
  readonly redact: Redact;
  /** Takes on more secrets, such as those of rules that were just loaded. */
  readonly add: (secrets: Iterable<string | undefined>) => void;
}

const MASK = '[redacted]';

/** Shorter values are too common in ordinary text: masking them would garble it without hiding anything worth hiding. */
const SHORTEST_SECRET = 6;

/** A redaction that masks each secret as it is, in a URL, in JSON, and as the Basic credentials made of it. */
export function createRedaction(secrets: Iterable<string | undefined>): Redaction {
  const forms = new Set<string>();
  let pattern: RegExp | undefined;
  const add: Redaction['add'] = (more) => {
    const before = forms.size;
    for (const secret of more) {
      if (secret === undefined || secret.length < SHORTEST_SECRET) continue;
      for (const form of formsOf(secret)) forms.add(form);
    }
    if (forms.size === before) return;
    // Longest first, so that a secret that contains another is masked whole.
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
    new URLSearchParams({ '': secret }).toString().slice(1),
    inJson,
    // A log line that quotes a body holds JSON within JSON.
    JSON.stringify(inJson).slice(1, -1),
    Buffer.from(`${secret}:`).toString('base64'),
  ];
}

/**
 * Masks secrets in every text of a JSON value. Texts and names are masked one by one: in finished JSON a secret of digits
 * could be part of a number, and a mask there would break it.
 */
export function redactJson(redact: Redact, value: unknown): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactJson(redact, item));
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [redact(name), redactJson(redact, member)]),
  );
}

/** Masks secrets in a line of JSON, which stays JSON. */
export function redactJsonLine(redact: Redact, line: string): string {
  const masked = redact(line);
  if (masked === line) return line;
  try {
    return `${JSON.stringify(redactJson(redact, JSON.parse(line)))}\n`;
  } catch {
    // Not JSON after all: better a broken line than a secret.
    return masked;
  }
}
