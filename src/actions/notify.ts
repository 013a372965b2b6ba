import { z } from 'zod';
import { SEVERITIES } from '../alerts/alert.js';
import type { NewAlert } from '../alerts/alert.js';
import { knownDevice } from '../enrichment/device.js';
import type { KnownDevice } from '../enrichment/device.js';
import { deviceReferenceOf } from '../events/webhook-types.js';
import { beforeWrite } from '../simplemdm/call-recorder.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { defineAction } from './action.js';
import type { ActionContext } from './action.js';
import { text as nonEmptyText } from './argument-types.js';

const channelName = z.string('expected the name of a channel').min(1, 'expected the name of a channel');

/** Dispatches an alert to one or more channels. The alert is queued, so that a channel that is down does not delay the run. */
export const notify = defineAction({
  about:
    'Sends a message to one or more channels of the rule file. The run does not wait for the delivery: messages have their own queue, and similar messages are grouped (see [alerts](guides/alerts.md)).',
  example: "notify: { channel: it-chat, title: '{{ device.name }} joined', text: '{{ device.model_name }}' }",
  args: z.strictObject({
    channel: z.union(
      [channelName.transform((one) => [one]), z.array(channelName).min(1)],
      'expected the name of a channel, or a list of them',
    ),
    title: nonEmptyText,
    text: z.string('expected a text').default(''),
    severity: z.enum(SEVERITIES, 'expected info, warning or critical').default('info'),
    labels: z.record(z.string(), z.string('expected a text'), 'expected names and texts').default({}),
  }),
  refersTo: { channel: 'channel' },
  outputs: { title: 'string' },
  facts: [],
  perform: async ({ channel: channels, title, text, severity, labels }, context) => {
    const { event, rule, stepKey, dispatchAlert, now } = context;
    const device = await deviceForAlert(context);
    const id = device?.id ?? deviceReferenceOf(event)?.id;
    const name = device?.name ?? device?.serial_number ?? deviceReferenceOf(event)?.serialNumber;
    const alert: Omit<NewAlert, 'channel'> = {
      id: stepKey,
      account: event.account,
      rule: rule.id,
      ...(rule.description !== undefined && { description: rule.description }),
      event: { id: event.id, type: event.type },
      ...((id !== undefined || name !== undefined) && {
        device: { ...(id !== undefined && { id }), ...(name !== undefined && { name }) },
      }),
      title,
      text,
      severity,
      labels,
      at: now().toISOString(),
    };
    await beforeWrite({
      account: event.account,
      method: 'NOTIFY',
      path: channels.join(', '),
      body: { title, ...(text !== '' && { text }) },
    });
    for (const channel of new Set(channels)) await dispatchAlert({ ...alert, channel });
    return { status: 'completed', output: { title } };
  },
});

/** The device, for its name in the alert; null when SimpleMDM does not respond, because the alert is more important than the name. */
async function deviceForAlert({ fact, logger }: ActionContext): Promise<KnownDevice | null> {
  try {
    return knownDevice.parse(await fact('device'));
  } catch (error) {
    if (!(error instanceof SimpleMdmError)) throw error;
    logger.warn(
      { code: error.code, reason: error.message },
      'device lookup failed: sending the alert without the device name',
    );
    return null;
  }
}
