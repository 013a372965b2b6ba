import { z } from 'zod';
import { deliveryPolicySettings } from '../alerts/delivery-policy.js';
import type { Message } from '../alerts/message.js';
import { envReferencesIn } from '../config/env-reference.js';
import type { ChannelSignature } from '../rules/model/vocabulary.js';

/** A message that did not arrive. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
  /** Trying again cannot mend it: a wrong address, a message that is refused. */
  readonly refused: boolean;
  /** Not to be tried again before this time, in epoch milliseconds, when the other side said so. */
  readonly notBefore: number | undefined;
  /** What a person can do about it, when that is known. */
  readonly advice: string | undefined;

  constructor(
    message: string,
    about: {
      readonly refused: boolean;
      readonly notBefore?: number | undefined;
      readonly advice?: string | undefined;
    },
  ) {
    super(message);
    this.refused = about.refused;
    this.notBefore = about.notBefore;
    this.advice = about.advice;
  }
}

/** What the other side said to a message that it took. */
export interface Receipt {
  readonly answer: string;
  /** Something that went wrong nevertheless. */
  readonly warning?: string;
}

/** What to do about a name that there is not; undefined for any other trouble. */
export function adviceOnHost(text: string): string | undefined {
  return /\bENOTFOUND\b/.test(text)
    ? 'there is no host of this name: check how the address is written'
    : undefined;
}

/** A kind of channel. */
export interface ChannelType extends ChannelSignature {
  /** A channel of a rule file, in YAML. */
  readonly example: string;
  /** How many lines of a group it has room for; ten when left out. */
  readonly mostLines: number | undefined;
  /**
   * Sends a message.
   *
   * @param settings - As in the rule file, `${env:NAME}` resolved.
   * @throws DeliveryError when it does not arrive.
   */
  readonly send: (settings: unknown, message: Message, signal: AbortSignal) => Promise<Receipt>;
}

/** Makes a kind of channel. Every kind can also say how much it wants to hear. */
export function defineChannel<S extends z.ZodRawShape>({
  about,
  example,
  settings,
  mostLines,
  send,
}: {
  readonly about: string;
  readonly example: string;
  readonly settings: S;
  readonly mostLines?: number;
  readonly send: (
    settings: z.output<z.ZodObject<S>>,
    message: Message,
    signal: AbortSignal,
  ) => Promise<Receipt>;
}): ChannelType {
  const own = z.object(settings);
  return {
    about,
    example,
    mostLines,
    settings: z.strictObject({ ...settings, ...deliveryPolicySettings }),
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

const httpUrl = z.url({ protocol: /^https?$/ });

/** The address of a service. */
export const serviceUrl = textOrEnv(httpUrl, 'expected an http(s) address');

/** An address that messages are posted to. It is often a secret in itself. */
export const webhookUrl = textOrEnv(httpUrl, 'expected an http(s) address, best as "${env:NAME}"');

/** A secret. */
export const secretText = z.string('expected a text, best as "${env:NAME}"').min(1, 'expected a text');
