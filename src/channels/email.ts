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
  /** `smtp://user:password@host:587` or, with TLS from the start, `smtps://host:465`. */
  server: textOrEnv(
    z.url({ protocol: /^smtps?$/ }),
    'expected smtp://user:password@host:587 or smtps://…, best as "${env:NAME}"',
  ),
  from: address,
  to: z.union(
    [address.transform((one) => [one]), z.array(address).min(1, EXPECTED_ADDRESS)],
    EXPECTED_ADDRESS,
  ),
  /** Without it a server on 587 that offers no TLS is refused, so that no password goes over the wire in the clear. */
  allow_insecure: z.boolean('expected true or false').default(false),
  /** Lets a server with a certificate of its own pass. */
  allow_self_signed: z.boolean('expected true or false').default(false),
};

const MARKS = { info: '', warning: '[warning] ', critical: '[critical] ' };
const TIMEOUT_MS = 20_000;
/** There is room for many, and somebody who has the time to read them. */
const MOST_LINES = 100;

/** E-mail by SMTP: HTML, and the same as text. */
export const email = defineChannel({
  about:
    'E-mail by SMTP, as HTML and text. `server` is `smtp://user:password@host:587` (STARTTLS) or `smtps://user:password@host:465`; without TLS only with `allow_insecure: true`.',
  example:
    'help-desk: { type: email, server: "${env:SMTP_URL}", from: mdm@example.org, to: [help@example.org] }',
  settings,
  mostLines: MOST_LINES,
  send: async (given, message) => {
    const { host } = new URL(given.server);
    let transport: ReturnType<typeof transportOf> | undefined;
    try {
      transport = transportOf(given);
      const { response, rejected } = await transport.sendMail({
        from: given.from,
        to: [...given.to],
        subject: MARKS[message.severity] + message.title,
        text: emailText(message),
        html: emailHtml(message),
        // The same when it is sent again, so that a mailbox can tell.
        messageId: `<${message.id}@mdm-reflex>`,
        date: new Date(message.at),
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
      });
      return receiptOf(`${host} answered ${response}`, rejected);
    } catch (error) {
      throw problemOf(error, host);
    } finally {
      transport?.close();
    }
  },
});

function transportOf({
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

/** A bare % in a name or a password means itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A server that takes a message for some only is not asked again: those would get it twice. */
function receiptOf(answer: string, rejected: readonly string[]): Receipt {
  return rejected.length === 0
    ? { answer }
    : { answer, warning: `the server does not take it for ${rejected.join(', ')}: correct "to"` };
}

function emailText(message: Message): string {
  const body = [message.title, bodyText(message), message.link ?? ''];
  return body.filter((part) => part !== '').join('\n\n');
}

const answered = z.looseObject({ responseCode: z.number().optional(), command: z.string().optional() });

/** A 5xx of the server and a refused password are final; everything else may pass (RFC 5321, section 4.2.1). */
function problemOf(error: unknown, host: string): DeliveryError {
  const { responseCode: status, command } = answered.safeParse(error).data ?? {};
  const code = errorCode(error);
  const refused = status === undefined ? code === 'EAUTH' || code === 'EENVELOPE' : status >= 500;
  if (refused && command === 'STARTTLS') {
    const advice = 'use smtps://, or allow_insecure: true';
    return new DeliveryError(`${host}: the server offers no STARTTLS: ${advice}`, { refused, advice });
  }
  const text = errorText(error);
  return new DeliveryError(`${host}: ${text}`, { refused, advice: adviceOnHost(text) });
}
