import { deliveryPolicyFrom } from '../alerts/delivery-policy.js';
import type { DeliveryPolicy } from '../alerts/delivery-policy.js';
import type { Message } from '../alerts/message.js';
import { resolveEnvReferences } from '../config/env-reference.js';
import type { ChannelSource } from '../rules/model/rule-schema.js';
import { DeliveryError } from './channel.js';
import type { Receipt } from './channel.js';
import { CHANNEL_TYPES } from './registry.js';
import { errorText } from '../telemetry/error-text.js';

/** A channel that can send messages. */
export interface Channel {
  readonly name: string;
  readonly type: string;
  readonly policy: DeliveryPolicy;
  /** How many lines a section of a message shows; the default is 10. */
  readonly maxLines: number | undefined;
  /** @throws DeliveryError when the message is not delivered. */
  readonly send: (message: Message, signal: AbortSignal) => Promise<Receipt>;
}

/** Opens a channel of a validated rule file. Secrets are read from the environment for each message and stored nowhere. */
export function openChannel({ name, type, settings }: ChannelSource, env: NodeJS.ProcessEnv): Channel {
  const channelType = Object.hasOwn(CHANNEL_TYPES, type) ? CHANNEL_TYPES[type] : undefined;
  return {
    name,
    type,
    policy: deliveryPolicyFrom(settings, { perKey: channelType?.perKey ?? false }),
    maxLines: channelType?.maxLines,
    send: async (message, signal) => {
      if (channelType === undefined)
        throw new DeliveryError('channel/invalid-settings', `unknown channel type "${type}"`, {
          retryable: false,
        });
      return channelType.send(resolved(settings, env), message, { signal, publicUrl: env['PUBLIC_URL'] });
    },
  };
}

function resolved(value: unknown, env: NodeJS.ProcessEnv): unknown {
  if (typeof value === 'string') {
    try {
      return resolveEnvReferences(value, env);
    } catch (error) {
      throw new DeliveryError('channel/invalid-settings', errorText(error), { retryable: false });
    }
  }
  if (Array.isArray(value)) return value.map((item) => resolved(item, env));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, resolved(member, env)]));
}
