import { composeMessage } from '../alerts/message.js';
import { DeliveryError } from '../channels/channel.js';
import { openChannel } from '../channels/open-channel.js';
import { CHANNEL_TYPES } from '../channels/registry.js';
import { OperatorError } from '../config/operator-error.js';
import { didYouMean } from '../config/nearest-name.js';
import type { ChannelSource } from '../rules/model/rule-schema.js';
import { loadRules } from './load-rules.js';
import { columns, escapeControlCharacters } from './terminal.js';

/** `mdm-reflex channels list`: the channels of the rule files. */
export async function listChannels(env: NodeJS.ProcessEnv, path: string | undefined): Promise<string> {
  const { channels } = await loadRules(env, path);
  if (channels.length === 0) {
    return `no channel is described; a rule file does it so:\nchannels:\n  ${CHANNEL_TYPES['slack']?.example ?? ''}`;
  }
  return columns(channels.map((source) => [source.name, source.type, calmInWords(source, env)])).join('\n');
}

function calmInWords(source: ChannelSource, env: NodeJS.ProcessEnv): string {
  const { digest, groupWaitMs, groupIntervalMs, serviceAlerts } = openChannel(source, env).policy;
  const when =
    digest === undefined
      ? `after ${groupWaitMs / 1000} s, then every ${groupIntervalMs / 1000} s at most`
      : `digest ${digest.schedule} (${digest.timezone})`;
  return serviceAlerts ? `${when}; hears of the service's own troubles` : when;
}

/**
 * `mdm-reflex channels test NAME`: sends a message at once, past all grouping.
 *
 * @throws OperatorError when there is no such channel, or with what the other side said.
 */
export async function testChannel(
  env: NodeJS.ProcessEnv,
  path: string | undefined,
  name: string,
  consoleUrl: string | undefined,
): Promise<string> {
  const { channels, redact } = await loadRules(env, path);
  const source = channels.find((channel) => channel.name === name);
  if (source === undefined) {
    const names = channels.map((channel) => channel.name);
    throw new OperatorError([
      `there is no channel "${name}"${didYouMean(name, names)} (described are ${names.join(', ') || 'none'})`,
    ]);
  }
  const now = new Date();
  const alert = {
    id: 'test',
    channel: name,
    account: 'default',
    title: 'A test message of mdm-reflex',
    text: `If you can read this, the channel "${name}" works.`,
    severity: 'info' as const,
    labels: {},
    at: now.toISOString(),
  };
  const message = composeMessage(`test-${now.getTime()}`, [{ alerts: [alert] }], now, consoleUrl);
  try {
    const { answer, warning } = await openChannel(source, env).send(message, new AbortController().signal);
    const lines = [`sent: look at ${name} (${source.type}); ${answer}`, warning ?? ''];
    return lines
      .filter((line) => line !== '')
      .map((line) => escapeControlCharacters(redact(line)))
      .join('\n');
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    const told = redact(`channel "${name}" (${source.type}): ${error.message}`);
    // Some advice stands in the message already.
    const advice = error.advice !== undefined && error.message.includes(error.advice) ? '' : adviceOn(error);
    throw new OperatorError([escapeControlCharacters(advice === '' ? told : `${told}; ${advice}`)]);
  }
}

function adviceOn({ advice, refused }: DeliveryError): string {
  if (advice !== undefined) return advice;
  return refused
    ? 'check the settings of the channel and the variables that they name'
    : 'the other side may be down: try again';
}
