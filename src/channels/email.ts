import { createTransport } from 'nodemailer';
import { z } from 'zod';
import { hashOfKey } from '../alerts/dedup-key.js';
import { displayText } from '../alerts/display-text.js';
import type { Message } from '../alerts/message.js';
import { envReferencesIn } from '../config/env-reference.js';
import { errorCode, errorText } from '../telemetry/error-text.js';
import { DeliveryError, adviceOnHost, defineChannel, textOrEnv } from './channel.js';
import type { Receipt } from './channel.js';
import { emailHtml } from './email-html.js';
import { withFittingTexts } from './fit-texts.js';
import { helloName, isHostName } from './hello-name.js';
import { bodyText } from './plain-text.js';
import { asciiDomain, problemWithAddress, recipientsOf } from './recipients.js';
import type { Recipients } from './recipients.js';

const EXPECTED_ADDRESS = 'expected an e-mail address';
const address = textOrEnv(
  z.string().regex(/^[^\s@<>]+@[^\s@<>]+$|^[^<>@]*<[^\s@<>]+@[^\s@<>]+>$/),
  EXPECTED_ADDRESS,
);

const EXPECTED_DOMAIN = 'expected a domain, such as example.org';
const EXPECTED_DOMAINS = 'expected a list of domains, such as [example.org]';

const settings = {
  /** `smtp://user:password@host:587` (STARTTLS) or `smtps://host:465` (TLS). */
  server: textOrEnv(
    z.url({ protocol: /^smtps?$/ }),
    'expected smtp://user:password@host:587 or smtps://…, preferably as "${env:NAME}"',
  ),
  from: address,
  to: z.union(
    [address.transform((single) => [single]), z.array(address).min(1, EXPECTED_ADDRESS)],
    EXPECTED_ADDRESS,
  ),
  /** The domains that the argument `to` of `notify` may send to. */
  to_domains: z
    .array(
      textOrEnv(
        z.string().refine((text) => asciiDomain(text) !== undefined),
        EXPECTED_DOMAIN,
      ),
      EXPECTED_DOMAINS,
    )
    .default([]),
  /** The name in EHLO. By default the host of `PUBLIC_URL`. */
  hello: textOrEnv(z.string().refine(isHostName), 'expected a host name, such as mdm.example.org').optional(),
  /** Allows a server without TLS. The password is then sent in clear text. */
  allow_insecure: z.boolean('expected true or false').default(false),
  allow_self_signed: z.boolean('expected true or false').default(false),
};

const SUBJECT_PREFIXES = { info: '', warning: '[warning] ', critical: '[critical] ' };
const TIMEOUT_MS = 20_000;
/** An e-mail has room for more than a chat message. */
const MAX_LINES = 100;
/** Mail servers accept megabytes; nobody reads them. */
const MAX_TEXTS_LENGTH = 300_000;

/** E-mail by SMTP, as HTML and plain text. */
export const email = defineChannel({
  about:
    'E-mail by SMTP, as HTML and text. `server` is `smtp://user:password@host:587` (STARTTLS) or `smtps://user:password@host:465`. Without TLS only with `allow_insecure: true`.',
  example:
    'help-desk: { type: email, server: "${env:SMTP_URL}", from: mdm@example.org, to: [help@example.org] }',
  settings,
  maxLines: MAX_LINES,
  problemWithRecipient,
  send: async (channel, original, { publicUrl }) => {
    const { host } = new URL(channel.server);
    const recipients = recipientsOf(original.to, channel);
    const message = emailMessage(original, recipients);
    let transport: ReturnType<typeof openTransport> | undefined;
    try {
      transport = openTransport(channel, helloName(channel.hello, publicUrl));
      const { response, rejected } = await transport.sendMail({
        from: channel.from,
        to: [...recipients.to],
        subject: SUBJECT_PREFIXES[message.severity] + inSubject(message.title),
        text: emailText(message),
        html: emailHtml(message),
        // The same for every attempt, so that mailboxes can detect duplicates.
        messageId: `<${message.id}@mdm-reflex>`,
        date: new Date(message.at),
        ...threadOf(message),
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
      });
      return receiptOf(`${host} returned ${response}`, rejected, recipients);
    } catch (error) {
      throw deliveryErrorOf(error, host);
    } finally {
      transport?.close();
    }
  },
});

/** Mail programs decode `=?utf-8?B?…?=` in a subject (RFC 2047), so that a name could show as another text. */
function inSubject(title: string): string {
  return title.replaceAll('=?', '= ?');
}

/** A message about one problem joins the thread of that problem. No message has this id: mail programs need none for a thread. */
function threadOf({ key }: Message): { inReplyTo?: string; references?: string } {
  if (key === undefined) return {};
  const id = `<${hashOfKey(key)}@mdm-reflex>`;
  return { inReplyTo: id, references: id };
}

/** The problem with a recipient in a rule file, to follow the name of the channel. */
function problemWithRecipient(
  channel: Readonly<Record<string, unknown>>,
  recipient: string | undefined,
): string | undefined {
  const domains = settings.to_domains.safeParse(channel['to_domains']);
  if (!domains.success) return undefined;
  if (domains.data.length === 0)
    return 'does not allow recipients from rules: add "to_domains: [example.org]" to it, with the domains that rules may send to';
  // What `${env:NAME}` stands for is known when the message is sent.
  if (recipient === undefined || domains.data.some((domain) => envReferencesIn(domain).length > 0))
    return undefined;
  const problem = problemWithAddress(recipient, domains.data);
  return problem === undefined ? undefined : `does not send to "${recipient}": the address ${problem}`;
}

/** A message with a note about the recipients that it stands in for. */
function emailMessage(message: Message, { refused, isFallback }: Recipients): Message {
  const fitted = withFittingTexts(message, MAX_TEXTS_LENGTH);
  if (!isFallback) return fitted;
  const note = `This message is for a recipient that a rule names, but could not be sent there: ${refused.join('; ')}. The recipients of the channel get it instead.`;
  return { ...fitted, text: [displayText(note), fitted.text].filter((part) => part !== '').join('\n\n') };
}

function openTransport(
  { server, allow_insecure: insecure, allow_self_signed: selfSigned }: z.output<z.ZodObject<typeof settings>>,
  name: string | undefined,
) {
  const url = new URL(server);
  const secure = url.protocol === 'smtps:';
  return createTransport({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    secure,
    ...(name !== undefined && { name }),
    requireTLS: !secure && !insecure,
    ignoreTLS: insecure,
    tls: { rejectUnauthorized: !selfSigned },
    ...(url.username !== '' && { auth: { user: decoded(url.username), pass: decoded(url.password) } }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
  });
}

/** A % that starts no escape sequence stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Rejected recipients cause no retry: the accepted ones would receive the message twice. */
function receiptOf(
  response: string,
  rejected: readonly string[],
  { to, refused, isFallback }: Recipients,
): Receipt {
  const fallback = isFallback ? `; sent to the recipients of the channel instead: ${to.join(', ')}` : '';
  const problems = [
    ...(refused.length > 0 ? [`not sent to ${refused.join('; ')}${fallback}`] : []),
    ...(rejected.length > 0 ? [`the server rejected ${rejected.join(', ')}: correct "to"`] : []),
  ];
  if (problems.length === 0) return { response };
  const code = refused.length > 0 ? 'channel/recipient-not-allowed' : 'channel/partly-refused';
  return { response, warning: { code, message: problems.join('; ') } };
}

function emailText(message: Message): string {
  const { title, action, link } = message;
  const body = [
    title,
    action === undefined ? '' : `${action.label}: ${action.url}`,
    bodyText(message),
    link ?? '',
  ];
  return body.filter((part) => part !== '').join('\n\n');
}

const smtpFailure = z.looseObject({ responseCode: z.number().optional(), command: z.string().optional() });

/** A 5xx reply and rejected credentials are permanent, everything else is temporary (RFC 5321, section 4.2.1). */
function deliveryErrorOf(error: unknown, host: string): DeliveryError {
  const { responseCode: status, command } = smtpFailure.safeParse(error).data ?? {};
  const systemCode = errorCode(error);
  const isPermanent =
    status === undefined ? systemCode === 'EAUTH' || systemCode === 'EENVELOPE' : status >= 500;
  const retryable = !isPermanent;
  if (isPermanent && command === 'STARTTLS') {
    const advice = 'use smtps://, or allow_insecure: true';
    return new DeliveryError('channel/no-tls', `${host}: the server offers no STARTTLS: ${advice}`, {
      retryable,
      advice,
    });
  }
  const text = errorText(error);
  const message = `${host}: ${text}`;
  if (isPermanent && systemCode === 'EAUTH')
    return new DeliveryError('channel/refused-credentials', message, { retryable });
  if (isPermanent) return new DeliveryError('channel/refused', message, { retryable });
  if (status !== undefined) return new DeliveryError('channel/unavailable', message, { retryable });
  return new DeliveryError('channel/unreachable', message, { retryable, advice: adviceOnHost(text) });
}
