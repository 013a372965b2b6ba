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
    for (const secret of more) {
      if (secret === undefined || secret.length < SHORTEST_SECRET) continue;
      for (const form of formsOf(secret)) forms.add(form);
    }
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
  const basic = Buffer.from(`${secret}:`).toString('base64');
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), basic];
}

/** Masks secrets in every string of a JSON value. */
export function redactJson(redact: Redact, value: unknown): unknown {
  const masked: unknown = JSON.parse(redact(JSON.stringify(value ?? null)));
  return masked;
}
