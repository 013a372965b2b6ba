import { composeMessage } from '../alerts/message.js';
import { DeliveryError } from '../channels/channel.js';
import { openChannel } from '../channels/open-channel.js';
import { CHANNEL_TYPES } from '../channels/registry.js';
import { OperatorError } from '../config/operator-error.js';
import { didYouMean } from '../errors/did-you-mean.js';
import type { UserProblem } from '../errors/user-problem.js';
import type { ChannelSource } from '../rules/model/rule-schema.js';
import { loadRules } from './load-rules.js';
import { columns, escapeControlCharacters } from './terminal.js';

/** `mdm-reflex channels list`: the channels of the rule files. */
export async function listChannels(env: NodeJS.ProcessEnv, path: string | undefined): Promise<string> {
  const { channels } = await loadRules(env, path);
  if (channels.length === 0) {
    return `no channels; define one in a rule file:\nchannels:\n  ${CHANNEL_TYPES['slack']?.example ?? ''}`;
  }
  return columns(channels.map((source) => [source.name, source.type, deliveryText(source, env)])).join('\n');
}

function deliveryText(source: ChannelSource, env: NodeJS.ProcessEnv): string {
  const { digest, groupWaitMs, groupIntervalMs, serviceAlerts } = openChannel(source, env).policy;
  const when =
    digest === undefined
      ? `after ${groupWaitMs / 1000} s, then at most every ${groupIntervalMs / 1000} s`
      : `digest ${digest.schedule} (${digest.timezone})`;
  return serviceAlerts ? `${when}; service alerts` : when;
}

/**
 * `mdm-reflex channels test NAME`: sends a test message immediately, without grouping.
 *
 * @throws OperatorError when there is no such channel or the delivery fails.
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
    const message = `there is no channel "${name}"${didYouMean(name, names)} (channels: ${names.join(', ') || 'none'})`;
    throw new OperatorError([{ code: 'channel/missing', message }]);
  }
  const now = new Date();
  const alert = {
    id: 'test',
    channel: name,
    account: 'default',
    title: 'Test message from mdm-reflex',
    text: `If you can read this, the channel "${name}" works.`,
    severity: 'info' as const,
    labels: {},
    status: 'triggered' as const,
    at: now.toISOString(),
  };
  const message = composeMessage(`test-${now.getTime()}`, [{ alerts: [alert] }], now, consoleUrl);
  try {
    const { response, warning } = await openChannel(source, env).send(message, new AbortController().signal);
    const lines = [
      `sent to ${name} (${source.type}); ${response}`,
      warning === undefined ? '' : `warning: ${warning.message} [${warning.code}]`,
    ];
    return lines
      .filter((line) => line !== '')
      .map((line) => escapeControlCharacters(redact(line)))
      .join('\n');
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    throw new OperatorError([deliveryProblem(source, error, redact)]);
  }
}

function deliveryProblem(
  { name, type }: ChannelSource,
  error: DeliveryError,
  redact: (text: string) => string,
): UserProblem {
  const problem = redact(`channel "${name}" (${type}): ${error.message}`);
  const advice = adviceFor(error);
  // Some messages contain their advice.
  const message = error.message.includes(advice) ? problem : `${problem}; ${advice}`;
  return { code: error.code, message: escapeControlCharacters(message) };
}

function adviceFor({ advice, retryable }: DeliveryError): string {
  if (advice !== undefined) return advice;
  return retryable
    ? 'the service may be down: try again'
    : 'check the settings of the channel and the environment variables that they name';
}
