import { createTransport } from 'nodemailer';
import { z } from 'zod';
import type { Message } from '../alerts/message.js';
import { errorCode, errorText } from '../telemetry/error-text.js';
import { DeliveryError, adviceOnHost, defineChannel, textOrEnv } from './channel.js';
import type { Receipt } from './channel.js';
import { emailHtml } from './email-html.js';
import { bodyText } from './plain-text.js';

const EXPECTED_ADDRESS = 'expected an e-mail address';
const address = textOrEnv(
  z.string().regex(/^[^\s@<>]+@[^\s@<>]+$|^[^<>@]*<[^\s@<>]+@[^\s@<>]+>$/),
  EXPECTED_ADDRESS,
);

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
  /** Allows a server without TLS. The password is then sent in clear text. */
  allow_insecure: z.boolean('expected true or false').default(false),
  allow_self_signed: z.boolean('expected true or false').default(false),
};

const SUBJECT_PREFIXES = { info: '', warning: '[warning] ', critical: '[critical] ' };
const TIMEOUT_MS = 20_000;
/** An e-mail has room for more than a chat message. */
const MAX_LINES = 100;

/** E-mail by SMTP, as HTML and plain text. */
export const email = defineChannel({
  about:
    'E-mail by SMTP, as HTML and text. `server` is `smtp://user:password@host:587` (STARTTLS) or `smtps://user:password@host:465`. Without TLS only with `allow_insecure: true`.',
  example:
    'help-desk: { type: email, server: "${env:SMTP_URL}", from: mdm@example.org, to: [help@example.org] }',
  settings,
  maxLines: MAX_LINES,
  send: async (channel, message) => {
    const { host } = new URL(channel.server);
    let transport: ReturnType<typeof openTransport> | undefined;
    try {
      transport = openTransport(channel);
      const { response, rejected } = await transport.sendMail({
        from: channel.from,
        to: [...channel.to],
        subject: SUBJECT_PREFIXES[message.severity] + message.title,
        text: emailText(message),
        html: emailHtml(message),
        // The same for every attempt, so that mailboxes can detect duplicates.
        messageId: `<${message.id}@mdm-reflex>`,
        date: new Date(message.at),
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
      });
      return receiptOf(`${host} returned ${response}`, rejected);
    } catch (error) {
      throw deliveryErrorOf(error, host);
    } finally {
      transport?.close();
    }
  },
});

function openTransport({
  server,
  allow_insecure: insecure,
  allow_self_signed: selfSigned,
}: z.output<z.ZodObject<typeof settings>>) {
  const url = new URL(server);
  const secure = url.protocol === 'smtps:';
  return createTransport({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    secure,
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
function receiptOf(response: string, rejected: readonly string[]): Receipt {
  if (rejected.length === 0) return { response };
  const message = `the server rejected ${rejected.join(', ')}: correct "to"`;
  return { response, warning: { code: 'channel/partly-refused', message } };
}

function emailText(message: Message): string {
  const body = [message.title, bodyText(message), message.link ?? ''];
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
