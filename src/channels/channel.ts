import { z } from 'zod';
import { deliveryPolicySettings } from '../alerts/delivery-policy.js';
import type { Message } from '../alerts/message.js';
import { envReferencesIn } from '../config/env-reference.js';
import type { ErrorCode } from '../errors/registry.js';
import type { UserProblem } from '../errors/user-problem.js';
import type { ChannelSignature } from '../rules/model/vocabulary.js';

/** A message was not delivered. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
  readonly code: ErrorCode;
  /** False when another attempt cannot succeed: wrong settings, a rejected message. */
  readonly retryable: boolean;
  /** No attempt before this time, in epoch milliseconds, as the service requested. */
  readonly notBefore: number | undefined;
  /** What the operator can do, when that is known. */
  readonly advice: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      readonly retryable: boolean;
      readonly notBefore?: number | undefined;
      readonly advice?: string | undefined;
    },
  ) {
    super(message);
    this.code = code;
    this.retryable = options.retryable;
    this.notBefore = options.notBefore;
    this.advice = options.advice;
  }
}

/** The response of a service that accepted a message. */
export interface Receipt {
  readonly response: string;
  /** A part that failed although the message was accepted. */
  readonly warning?: UserProblem;
}

/** Advice for a host name that does not resolve; undefined for any other error. */
export function adviceOnHost(text: string): string | undefined {
  return /\bENOTFOUND\b/.test(text) ? 'the host name does not exist: check its spelling' : undefined;
}

/** A type of channel. */
export interface ChannelType extends ChannelSignature {
  /** A channel of this type in YAML. */
  readonly example: string;
  /** How many lines a section of a message shows; the default is 10. */
  readonly maxLines: number | undefined;
  /** Whether a message is about one dedup key, because the service updates and resolves by key. */
  readonly perKey: boolean;
  /**
   * Sends a message.
   *
   * @param settings - As in the rule file, with `${env:NAME}` resolved.
   * @throws DeliveryError when the message is not delivered.
   */
  readonly send: (settings: unknown, message: Message, context: SendContext) => Promise<Receipt>;
}

/** What a channel needs to send a message, beside its settings. */
export interface SendContext {
  readonly signal: AbortSignal;
  /** The address of this service, from `PUBLIC_URL`. */
  readonly publicUrl: string | undefined;
}

/** Defines a type of channel. Each type also accepts the delivery settings. */
export function defineChannel<S extends z.ZodRawShape>({
  about,
  example,
  settings,
  maxLines,
  perKey = false,
  problemWithRecipient,
  send,
}: {
  readonly about: string;
  readonly example: string;
  readonly settings: S;
  readonly maxLines?: number;
  readonly perKey?: boolean;
  readonly problemWithRecipient?: ChannelSignature['problemWithRecipient'];
  readonly send: (
    settings: z.output<z.ZodObject<S>>,
    message: Message,
    context: SendContext,
  ) => Promise<Receipt>;
}): ChannelType {
  const sendSettings = z.object(settings);
  return {
    about,
    example,
    maxLines,
    perKey,
    ...(problemWithRecipient && { problemWithRecipient }),
    settings: z.strictObject({ ...settings, ...deliveryPolicySettings }),
    send: async (resolved, message, context) => {
      const parsed = sendSettings.safeParse(resolved);
      if (!parsed.success) {
        const [issue] = parsed.error.issues;
        const problem = `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
        throw new DeliveryError('channel/invalid-settings', problem, { retryable: false });
      }
      return send(parsed.data, message, context);
    },
  };
}

/**
 * A string of a format, or one with `${env:NAME}`. A literal is checked when the rule file loads; a string with `${env:NAME}` is
 * checked when a message is sent.
 */
export function textOrEnv(format: z.ZodType<string>, expected: string) {
  return z
    .string(expected)
    .refine((text) => envReferencesIn(text).length > 0 || format.safeParse(text).success, expected);
}

const httpUrl = z.url({ protocol: /^https?$/ });

/** The URL of a service. */
export const serviceUrl = textOrEnv(httpUrl, 'expected an http(s) URL');

/** A URL that messages are posted to. Such URLs are often secrets. */
export const webhookUrl = textOrEnv(httpUrl, 'expected an http(s) URL, preferably as "${env:NAME}"');

/** A secret. */
export const secretText = z.string('expected a text, preferably as "${env:NAME}"').min(1, 'expected a text');
