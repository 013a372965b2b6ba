import { z } from 'zod';
import { SEVERITIES } from '../alerts/alert.js';
import type { NewAlert } from '../alerts/alert.js';
import { dedupKeyOf } from '../alerts/dedup-key.js';
import { displayLine, truncate } from '../alerts/display-text.js';
import { knownDevice } from '../enrichment/device.js';
import type { KnownDevice } from '../enrichment/device.js';
import { deviceReferenceOf } from '../events/webhook-types.js';
import { beforeWrite } from '../simplemdm/call-recorder.js';
import { SimpleMdmError } from '../simplemdm/errors.js';
import { StepError, defineAction } from './action.js';
import type { ActionContext, RenderProblem } from './action.js';
import { flag, text as nonEmptyText } from './argument-types.js';

const EXPECTED_CHANNEL = 'expected the name of a channel';
const channelName = z.string(EXPECTED_CHANNEL).min(1, EXPECTED_CHANNEL);
const EXPECTED_ADDRESS = 'expected an e-mail address, or a list of them';
const address = z.string(EXPECTED_ADDRESS).min(1, EXPECTED_ADDRESS);
const MAX_RECIPIENTS = 50;
/** Longer than every service shows. Redis keeps the alert until it is sent. */
const MAX_TITLE_LENGTH = 1000;
const MAX_TEXT_LENGTH = 50_000;
const MAX_LABEL_LENGTH = 500;
/** RFC 5321 allows 254 characters. */
const MAX_ADDRESS_LENGTH = 320;

const args = z
  .strictObject({
    channel: z.union(
      [channelName.transform((one) => [one]), z.array(channelName).min(1)],
      'expected the name of a channel, or a list of them',
    ),
    title: nonEmptyText.optional(),
    text: z.string('expected a text').default(''),
    severity: z.enum(SEVERITIES, 'expected info, warning or critical').default('info'),
    to: z
      .union(
        [address.transform((one) => [one]), z.array(address).min(1).max(MAX_RECIPIENTS)],
        `${EXPECTED_ADDRESS} (${MAX_RECIPIENTS} at most)`,
      )
      .optional(),
    key: nonEmptyText.optional(),
    resolve: flag.default(false),
    labels: z.record(z.string(), z.string('expected a text'), 'expected names and texts').default({}),
  })
  .superRefine(({ title, resolve }, context) => {
    if (title === undefined && !resolve)
      context.addIssue({ code: 'custom', path: ['title'], message: 'expected a text' });
  });

type Arguments = z.output<typeof args>;

const oneOrMore = z.union([z.string().transform((one) => [one]), z.array(z.string())]);

/** Rendered arguments: any text may be empty, because a message with a gap is better than none. */
const renderedArgs: z.ZodType<Arguments> = z.strictObject({
  ...args.shape,
  channel: oneOrMore,
  title: z.string().optional(),
  to: oneOrMore.optional(),
  key: z.string().optional(),
});

/** What these say decides who gets the message, and which alerts are one problem. */
const IDENTIFYING: ReadonlySet<string> = new Set(['channel', 'to', 'key']);

/** Dispatches an alert to one or more channels. The alert is queued, so that a channel that is down does not delay the run. */
export const notify = defineAction({
  about:
    'Sends a message to one or more channels of the rule file. The run does not wait for the delivery: messages have their own queue, and similar messages are grouped. A message goes out even if a part of it cannot be filled in. `to`, `key` and `resolve` are explained in [alerts](guides/alerts.md). `title` may only be left out with `resolve: true`.',
  example: "notify: { channel: it-chat, title: '{{ device.name }} joined', text: '{{ device.model_name }}' }",
  args,
  renderedArgs,
  needsNoValues: true,
  refersTo: { channel: 'channel' },
  recipientsIn: 'to',
  placeOf: (argument) => (IDENTIFYING.has(argument) ? 'name' : 'text'),
  outputs: { title: 'string' },
  facts: [],
  perform: async (given, context) => {
    const { event, stepKey, dispatchAlert } = context;
    const whole = withoutGaps(given, context.renderProblems ?? []);
    const channels = new Set(whole.channel.map((name) => name.trim()).filter((name) => name !== ''));
    if (channels.size === 0)
      throw new StepError('step/invalid-argument', 'channel: the template renders to an empty text');
    const { alert, missing } = await alertOf(whole, context);
    const { title, text } = alert;
    await beforeWrite({
      account: event.account,
      method: 'NOTIFY',
      path: [...channels].join(', '),
      body: {
        title,
        ...(text !== '' && { text }),
        ...(alert.to !== undefined && { to: alert.to.join(', ') }),
        ...(whole.resolve && { resolve: true }),
        ...(missing.length > 0 && { missing: missing.join('; ') }),
      },
    });
    for (const channel of channels) await dispatchAlert({ ...alert, channel, id: stepKey });
    if (missing.length === 0) return { status: 'completed', output: { title } };
    const reason = `the message lacks ${missing.join('; ')}`;
    context.logger.warn({ code: 'alert/incomplete', reason }, 'the message lacks a value');
    return { status: 'completed', output: { title }, reason, code: 'alert/incomplete' };
  },
});

/**
 * The arguments without the names that could not be rendered in full. A text with a gap informs; an address, a key or a channel with a
 * gap is that of somebody or something else.
 */
function withoutGaps(given: Arguments, problems: readonly RenderProblem[]): Arguments {
  const broken = new Set(problems.map(({ argument }) => argument));
  const whole = (texts: readonly string[], name: string): string[] =>
    texts.map((text, index) => (broken.has(name) || broken.has(`${name}.${index}`) ? '' : text));
  return {
    ...given,
    channel: whole(given.channel, 'channel'),
    ...(given.to !== undefined && { to: whole(given.to, 'to') }),
    ...(given.key !== undefined && { key: broken.has('key') ? '' : given.key }),
  };
}

async function alertOf(
  { title, text, severity, labels, to, key = '', resolve }: Arguments,
  context: ActionContext,
): Promise<{ alert: Omit<NewAlert, 'channel' | 'id'>; missing: readonly string[] }> {
  const { event, rule, now, renderProblems = [] } = context;
  const device = await deviceForAlert(context);
  const reference = deviceReferenceOf(event);
  const id = reference?.id ?? device?.id;
  const serialNumber = device?.serial_number ?? reference?.serialNumber;
  const name = visible(device?.name) ?? visible(serialNumber);
  const shownTitle = displayLine(title ?? '', MAX_TITLE_LENGTH);
  const missing = [
    ...renderProblems.map(problemText),
    // Without a title of its own, a resolve has that of its rule.
    ...(shownTitle === '' && title !== undefined ? ['title: the template renders to an empty text'] : []),
  ];
  return {
    missing,
    alert: {
      account: event.account,
      rule: rule.id,
      ...(rule.description !== undefined && { description: rule.description }),
      event: { id: event.id, type: event.type },
      ...((id !== undefined || name !== undefined) && {
        device: { ...(id !== undefined && { id }), ...(name !== undefined && { name }) },
      }),
      title:
        shownTitle === ''
          ? titleWithout(
              visible(rule.description) ?? rule.id,
              name ?? (id === undefined ? undefined : `device ${id}`),
            )
          : shownTitle,
      text: truncate(text, MAX_TEXT_LENGTH),
      severity,
      labels: Object.fromEntries(
        Object.entries(labels).map(([label, value]) => [label, truncate(value, MAX_LABEL_LENGTH)]),
      ),
      key: dedupKeyOf({ account: event.account, rule: rule.id, device: id ?? serialNumber, ownKey: key }),
      ...(resolve && { status: 'resolved' as const }),
      ...(to !== undefined && { to: recipients(to) }),
      ...(missing.length > 0 && { notes: missing.map((part) => `Could not be filled in: ${part}`) }),
      at: now().toISOString(),
    },
  };
}

/** A title for a message whose own one is empty: what happened, and to which device. */
const titleWithout = (what: string, device: string | undefined): string =>
  device === undefined ? what : `${what}: ${device}`;

const problemText = ({ argument, reason }: RenderProblem): string => `${argument}: ${reason}`;

const visible = (text: string | null | undefined): string | undefined =>
  displayLine(text ?? '', MAX_TITLE_LENGTH) === '' ? undefined : (text ?? undefined);

/** As rendered: the channel checks each one when it sends the message. */
const recipients = (to: readonly string[]): string[] => [
  ...new Set(to.slice(0, MAX_RECIPIENTS).map((one) => truncate(one.trim(), MAX_ADDRESS_LENGTH))),
];

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
