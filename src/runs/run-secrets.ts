import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { maskSecrets, unmask, withoutMasks } from '../actions/answer-secrets.js';
import type { Masked } from '../actions/answer-secrets.js';
import { ACTIONS } from '../actions/registry.js';
import type { AttemptRecord, StepRecord } from '../queues/jobs.js';
import { secretsInUrl } from '../rules/model/rule-secrets.js';
import { createRedaction } from '../telemetry/redaction.js';
import type { Redact } from '../telemetry/redaction.js';

type Output = Readonly<Record<string, unknown>>;

/** The secrets that the steps of one run received in answers. */
export interface RunSecrets {
  /** Masks them, wherever the run writes a text. */
  readonly redact: Redact;
  /** Takes the secrets out of the output of an action. */
  readonly hide: (action: string, output: Output, names: readonly string[]) => HiddenOutput;
  /** The output of a step with its secrets, for later steps. */
  readonly reveal: (record: Pick<AttemptRecord, 'action' | 'output' | 'sealed'>) => Output;
  /**
   * The same for a step of another run under the same key, such as the one that raised a device. A value whose secret cannot be decrypted is
   * left out, so that a step which needs it fails: a mask must never be sent.
   */
  readonly revealOf: (run: string, record: Parameters<RunSecrets['reveal']>[0]) => Output;
  /** Takes the secrets out of the list of `for_each`, which may come from an answer. */
  readonly hideItems: (
    items: readonly unknown[],
  ) => Required<Pick<StepRecord, 'items'>> & Pick<StepRecord, 'sealed'>;
  /** The list of `for_each` with its secrets. */
  readonly revealItems: (record: Pick<StepRecord, 'items' | 'sealed'>) => readonly unknown[];
}

/** The output of a step as Redis keeps it. */
export interface HiddenOutput {
  readonly output: Output;
  /** The secrets, encrypted; undefined without any. */
  readonly sealed?: string;
}

/** The secrets of earlier steps cannot be decrypted. */
export class SealedSecretsError extends Error {
  override readonly name = 'SealedSecretsError';
}

const sealedValues = z.object({
  masked: z.array(
    z.object({
      path: z.array(z.union([z.string(), z.number()])),
      value: z.union([z.string(), z.number()]),
    }),
  ),
  secrets: z.array(z.string()),
  names: z.array(z.string()),
});

type SealedValues = z.output<typeof sealedValues>;

/**
 * Opens the secrets of a run. They must survive a restart and another worker, so they stay with the run in Redis, encrypted under a key that Redis does
 * not have.
 *
 * @param key - From {@link sealingKey}.
 * @param run - The id of the run. Secrets moved to another run cannot be decrypted.
 * @param steps - The records of earlier attempts.
 * @throws SealedSecretsError when the records were encrypted under another key.
 */
export function openRunSecrets(key: Uint8Array, run: string, steps: readonly StepRecord[]): RunSecrets {
  const redaction = createRedaction([]);
  /** What later answers are searched for, too: a service may send a secret again under another name. */
  const known = new Set<string>();
  const names = new Set<string>();
  const remember = (values: Pick<SealedValues, 'secrets' | 'names'>): void => {
    // The record of a request to a secret address has a part of it only.
    redaction.add([...values.secrets, ...values.secrets.flatMap(secretsInUrl)]);
    for (const secret of values.secrets) known.add(secret);
    for (const name of values.names) names.add(name);
  };
  for (const { sealed } of steps.flatMap((step) => [step, ...(step.itemRecords ?? [])])) {
    if (sealed !== undefined) remember(open(sealed, key, run));
  }
  const hideIn = (value: unknown): { value: unknown; sealed?: string } => {
    const found = maskSecrets(value, [...names], known);
    remember({ secrets: [...found.secrets], names: [] });
    if (found.masked.length === 0) return { value: found.value };
    return { value: found.value, sealed: seal({ ...found, names: [...names] }, key, run) };
  };
  const revealIn = (value: unknown, sealed: string | undefined): unknown =>
    sealed === undefined ? value : unmask(value, open(sealed, key, run).masked);
  const complete = (action: string, stored: unknown): Output => {
    const output = record.parse(stored);
    return outputFormOf(action)?.complete(output) ?? output;
  };
  return {
    redact: redaction.redact,
    hide: (action, output, moreNames) => {
      remember({ secrets: [], names: [...moreNames] });
      const { value, ...sealed } = hideIn(storedForm(action, output));
      return { output: record.parse(value), ...sealed };
    },
    reveal: ({ action, output = {}, sealed }) => complete(action, revealIn(output, sealed)),
    revealOf: (otherRun, { action, output = {}, sealed }) => {
      if (sealed === undefined) return complete(action, output);
      try {
        const values = open(sealed, key, otherRun);
        remember(values);
        return complete(action, unmask(output, values.masked));
      } catch (error) {
        if (!(error instanceof SealedSecretsError)) throw error;
        return record.parse(withoutMasks(complete(action, output)));
      }
    },
    hideItems: (items) => {
      const { value, ...sealed } = hideIn([...items]);
      return { items: list.parse(value), ...sealed };
    },
    revealItems: ({ items = [], sealed }) => list.parse(revealIn(items, sealed)),
  };
}

const record = z.record(z.string(), z.unknown());
const list = z.array(z.unknown());

function outputFormOf(action: string) {
  return Object.hasOwn(ACTIONS, action) ? ACTIONS[action]?.outputForm : undefined;
}

function storedForm(action: string, output: Output): Output {
  return outputFormOf(action)?.stored(output) ?? output;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * The key for the secrets of the runs of an account: derived from its API key (HKDF, RFC 5869), which every worker has and Redis does not.
 */
export function sealingKey(apiKey: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', apiKey, 'mdm-reflex', 'secrets in answers, version 1', 32));
}

function seal(
  { masked, secrets, names }: Masked & { readonly names: readonly string[] },
  key: Uint8Array,
  run: string,
): string {
  // A random nonce for each step is unique enough for AES-GCM (NIST SP 800-38D, section 8.2.2).
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(run));
  const encrypted = Buffer.concat([
    cipher.update(JSON.stringify({ masked, secrets, names }), 'utf8'),
    cipher.final(),
  ]);
  return Buffer.concat([nonce, cipher.getAuthTag(), encrypted]).toString('base64');
}

function open(sealed: string, key: Uint8Array, run: string): z.output<typeof sealedValues> {
  try {
    const bytes = Buffer.from(sealed, 'base64');
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
    const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(run))
      .setAuthTag(tag);
    const text =
      decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    return sealedValues.parse(JSON.parse(text));
  } catch (cause) {
    throw new SealedSecretsError(
      'an earlier step received secrets that were encrypted under another API key of the account',
      { cause },
    );
  }
}
