import { z } from 'zod';
import { SEVERITIES } from '../alerts/alert.js';
import type { Alert } from '../alerts/alert.js';
import { deviceReferenceOf } from '../events/webhook-types.js';
import { knownDevice } from '../enrichment/device.js';
import type { KnownDevice } from '../enrichment/device.js';
import { beforeWrite } from '../simplemdm/call-recorder.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { defineAction } from './action.js';
import type { ActionContext } from './action.js';

const channelReference = z.string('expected the name of a channel').min(1, 'expected the name of a channel');

/** Tells people by one or more channels. The message is queued: a chat that is down does not hold the run up. */
export const notify = defineAction({
  about:
    'Tells people by a channel of the rule file, or by several. The run does not wait for it: messages have a queue of their own, and what is alike is put together (see [alerts.md](alerts.md)).',
  example: "notify: { channel: it-chat, title: '{{ device.name }} joined', text: '{{ device.model_name }}' }",
  args: z.strictObject({
    channel: z.union(
      [channelReference.transform((one) => [one]), z.array(channelReference).min(1)],
      'expected the name of a channel, or a list of them',
    ),
    title: z.string('expected a text').min(1, 'expected a text'),
    text: z.string('expected a text').default(''),
    severity: z.enum(SEVERITIES, 'expected info, warning or critical').default('info'),
    labels: z.record(z.string(), z.string('expected a text'), 'expected names and texts').default({}),
  }),
  refersTo: { channel: 'channel' },
  outputs: { title: 'string' },
  facts: [],
  perform: async ({ channel: channels, title, text, severity, labels }, context) => {
    const { event, rule, stepKey, dispatchAlert, now } = context;
    const device = await deviceIfKnown(context);
    const id = device?.id ?? deviceReferenceOf(event)?.id;
    const name = device?.name ?? device?.serial_number ?? deviceReferenceOf(event)?.serialNumber;
    const about: Omit<Alert, 'channel'> = {
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
      method: 'TELL',
      path: channels.join(', '),
      body: { title, ...(text !== '' && { text }) },
    });
    for (const channel of new Set(channels)) await dispatchAlert({ ...about, channel });
    return { status: 'completed', output: { title } };
  },
});

/** The device, whose name a message about it should say. That SimpleMDM does not answer is no reason to keep quiet. */
async function deviceIfKnown({ fact, logger }: ActionContext): Promise<KnownDevice | null> {
  try {
    return knownDevice.parse(await fact('device'));
  } catch (error) {
    if (!(error instanceof SimpleMdmError)) throw error;
    logger.warn(
      { code: error.code, reason: error.message },
      'a message goes out without the name of its device',
    );
    return null;
  }
}
