import { z } from 'zod';
import { calmSettings } from '../alerts/calm.js';
import type { Message } from '../alerts/message.js';
import { envReferencesIn } from '../config/env-reference.js';
import type { ChannelSignature } from '../rules/vocabulary.js';

/** A message that did not arrive. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
  /** Trying again cannot mend it: a wrong address, a message that is refused. */
  readonly refused: boolean;
  /** Not to be tried again before this time, in epoch milliseconds, when the other side said so. */
  readonly notBefore: number | undefined;

  constructor(message: string, { refused, notBefore }: { refused: boolean; notBefore?: number | undefined }) {
    super(message);
    this.refused = refused;
    this.notBefore = notBefore;
  }
}

/** A kind of channel. */
export interface ChannelType extends ChannelSignature {
  /** A channel of a rule file, in YAML. */
  readonly example: string;
  /**
   * Sends a message.
   *
   * @param settings - As in the rule file, `${env:NAME}` resolved.
   * @throws DeliveryError when it does not arrive.
   */
  readonly send: (settings: unknown, message: Message, signal: AbortSignal) => Promise<void>;
}

/** Makes a kind of channel. Every kind can also say how much it wants to hear. */
export function defineChannel<S extends z.ZodRawShape>({
  about,
  example,
  settings,
  send,
}: {
  readonly about: string;
  readonly example: string;
  readonly settings: S;
  readonly send: (settings: z.output<z.ZodObject<S>>, message: Message, signal: AbortSignal) => Promise<void>;
}): ChannelType {
  const own = z.object(settings);
  return {
    about,
    example,
    settings: z.strictObject({ ...settings, ...calmSettings }),
    send: async (given, message, signal) => {
      const parsed = own.safeParse(given);
      if (!parsed.success) {
        const [issue] = parsed.error.issues;
        throw new DeliveryError(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, { refused: true });
      }
      return send(parsed.data, message, signal);
    },
  };
}

/**
 * A text of some format that the environment may fill in: it is checked when the file loads where it is written out, and again, filled
 * in, when a message is sent.
 */
export function textOrEnv(format: z.ZodType<string>, expected: string) {
  return z
    .string(expected)
    .refine((text) => envReferencesIn(text).length > 0 || format.safeParse(text).success, expected);
}

/** An address that messages are posted to. It is often a secret in itself. */
export const webhookUrl = textOrEnv(
  z.url({ protocol: /^https?$/ }),
  'expected an http(s) address, best as "${env:NAME}"',
);

/** A secret. */
export const secretText = z.string('expected a text, best as "${env:NAME}"').min(1, 'expected a text');

/** A text cut to what the other side takes. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
