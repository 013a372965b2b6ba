import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { simpleParser } from 'mailparser';
import type { ParsedMail } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { z } from 'zod';
import type { Alert } from '../../../src/alerts/alert.js';
import { composeMessage } from '../../../src/alerts/message.js';
import type { Message } from '../../../src/alerts/message.js';
import { DeliveryError, adviceOnHost } from '../../../src/channels/channel.js';
import type { Receipt } from '../../../src/channels/channel.js';
import { openChannel } from '../../../src/channels/open-channel.js';
import { CHANNEL_TYPES } from '../../../src/channels/registry.js';
import { startChat } from '../../support/chat.js';
import type { Chat } from '../../support/chat.js';
import { HOSTILE_NAMES } from '../../support/hostile-names.js';
import { alertAbout } from '../../unit/channels/messages.js';

const AT = new Date('2026-01-31T08:00:00Z');
const MESSAGE = composeMessage(
  'message-1',
  [{ alerts: [alertAbout('Ada')] }],
  AT,
  'https://reflex.example.org',
);

const send = (
  type: string,
  settings: Record<string, unknown>,
  env: NodeJS.ProcessEnv = {},
  message: Message = MESSAGE,
): Promise<Receipt> =>
  openChannel({ name: 'x', type, settings }, env).send(message, new AbortController().signal);

const composed = (more: Partial<Alert>): Message =>
  composeMessage('message-2', [{ alerts: [alertAbout('Ada', more)] }], AT, 'https://reflex.example.org');
const KEYED = composed({ key: 'acme/low-disk/54', id: 'the trigger' });
const RESOLVED = composed({
  key: 'acme/low-disk/54',
  id: 'the resolve',
  status: 'resolved',
  updates: 'the trigger',
});

async function problemOf(sending: Promise<unknown>): Promise<DeliveryError> {
  const problem: unknown = await sending.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (problem instanceof DeliveryError) return problem;
  throw new Error(`expected a DeliveryError: ${String(problem)}`);
}

describe('channels that post JSON', () => {
  let chat: Chat;
  beforeEach(async () => {
    chat = await startChat();
  });
  afterEach(() => chat.close());

  const settings = (url: string): Readonly<Record<string, Record<string, unknown>>> => ({
    slack: { url: '${env:URL}' },
    teams: { url: '${env:URL}' },
    discord: { url: '${env:URL}' },
    google_chat: { url: '${env:URL}' },
    webhook: { url: '${env:URL}', headers: { 'X-Team': 'it' } },
    ntfy: { server: url, topic: '${env:TOPIC}', token: '${env:TOKEN}' },
    pagerduty: { url, routing_key: '${env:KEY}' },
  });
  const env = (): NodeJS.ProcessEnv => ({
    URL: `${chat.url}/hook`,
    TOPIC: 'acme',
    TOKEN: 'the-token',
    KEY: 'the-key',
  });

  test('every channel type has a test', () => {
    expect([...Object.keys(settings('')), 'email'].sort()).toEqual(Object.keys(CHANNEL_TYPES).sort());
  });

  test.each(Object.keys(settings('')))('%s', async (type) => {
    await send(type, settings(chat.url)[type] ?? {}, env());
    const [request] = chat.requests();
    expect(request?.headers['content-type']).toBe('application/json');
    expect(JSON.stringify(request?.body)).toContain('Ada joined');
    if (type === 'ntfy')
      expect(request).toMatchObject({
        body: { topic: 'acme' },
        headers: { authorization: 'Bearer the-token' },
      });
    if (type === 'pagerduty')
      expect(request?.body).toMatchObject({ routing_key: 'the-key', dedup_key: 'message-1' });
    if (type === 'webhook') expect(request?.headers['x-team']).toBe('it');
  });

  test.each(Object.keys(settings('')))(
    '%s says that a problem is over, in place of a new one where it can',
    async (type) => {
      const channel = settings(chat.url)[type] ?? {};
      await send(type, channel, env(), KEYED);
      await send(type, channel, env(), RESOLVED);
      const [trigger, resolve] = chat.requests().map(({ body }) => body);
      if (type === 'pagerduty') {
        expect(trigger).toMatchObject({ event_action: 'trigger', dedup_key: 'acme/low-disk/54' });
        expect(resolve).toEqual({
          routing_key: 'the-key',
          event_action: 'resolve',
          dedup_key: 'acme/low-disk/54',
        });
        return;
      }
      expect(JSON.stringify(resolve)).toMatch(/Resolved(\\\\)?: Ada joined|"status":"resolved"/);
      if (type === 'ntfy') {
        const sequence = z.object({ sequence_id: z.string().regex(/^[0-9a-f]{32}$/) });
        expect(sequence.parse(resolve)).toEqual(sequence.parse(trigger));
      }
      if (type === 'webhook') {
        expect(trigger).toMatchObject({
          data: {
            status: 'triggered',
            dedup_key: 'acme/low-disk/54',
            alerts: [{ status: 'triggered', dedup_key: 'acme/low-disk/54', title: 'Ada joined' }],
          },
        });
        expect(resolve).toMatchObject({ data: { status: 'resolved', dedup_key: 'acme/low-disk/54' } });
      }
    },
  );

  test('google_chat puts the messages about a problem into one thread, if asked to', async () => {
    const url = `${chat.url}/v1/spaces/x/messages?key=a&token=b`;
    for (const message of [KEYED, RESOLVED, MESSAGE])
      await send('google_chat', { url, threads: true }, {}, message);
    const [trigger, resolve, other] = chat.requests();
    const thread = z.object({ thread: z.object({ threadKey: z.string().min(1) }) });
    expect(thread.parse(resolve?.body)).toEqual(thread.parse(trigger?.body));
    expect(resolve?.path).toBe(
      '/v1/spaces/x/messages?key=a&token=b&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD',
    );
    expect(other?.body).not.toHaveProperty('thread');
    expect(other?.path).toBe('/v1/spaces/x/messages?key=a&token=b');
  });

  test.each([
    [{ status: 404 }, 'channel/refused', /returned 404: ok$/],
    [{ status: 403 }, 'channel/refused-credentials', /returned 403: ok$/],
    [{ status: 400, body: 'invalid_blocks\n' }, 'channel/refused', /returned 400: invalid_blocks$/],
    [{ status: 302, headers: { Location: 'http://127.0.0.1:1/' } }, 'channel/refused', /returned 302/],
    [{ status: 500 }, 'channel/unavailable', /returned 500/],
    [{ status: 429, headers: { 'Retry-After': '7' } }, 'channel/unavailable', /returned 429/],
  ])('%j is %s', async (response, code, message) => {
    chat.answerNext(response);
    const problem = await problemOf(send('slack', { url: '${env:URL}' }, env()));
    expect(problem).toMatchObject({ code, retryable: code === 'channel/unavailable' });
    expect(problem.message).toMatch(message);
    expect(problem.message).not.toContain('/hook');
    if (response.status === 429) expect(problem.notBefore).toBeGreaterThan(Date.now() + 5000);
  });

  test('the receipt contains the response', async () => {
    expect(await send('slack', { url: '${env:URL}' }, env())).toEqual({
      response: expect.stringMatching(/^127\.0\.0\.1:\d+ returned 200: ok$/),
    });
  });

  test('a user and password in a URL are sent as Basic authentication', async () => {
    const url = chat.url.replace('//', '//reflex:p%40ss%@');
    await send('webhook', { url: '${env:URL}' }, { URL: `${url}/x` });
    expect(chat.requests()).toMatchObject([
      { path: '/x', headers: { authorization: `Basic ${Buffer.from('reflex:p%40ss%').toString('base64')}` } },
    ]);
  });

  test('an invalid header is a permanent error that does not contain its value', async () => {
    const problem = await problemOf(
      send('webhook', { url: '${env:URL}', headers: { 'X-Team': 'secret ☂' } }, env()),
    );
    expect(problem).toMatchObject({
      code: 'channel/invalid-settings',
      retryable: false,
      message: expect.stringContaining('"X-Team"'),
    });
    expect(problem.message).not.toContain('secret');
  });

  test('an endless response is not read to its end', async () => {
    let written = 0;
    const server = createServer((_request, response) => {
      response.writeHead(500);
      const write = (): void => {
        while (!response.destroyed) {
          written += 65_536;
          if (!response.write('no '.repeat(21_845))) break;
        }
      };
      response.on('drain', write);
      write();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const problem = await problemOf(send('slack', { url: `http://127.0.0.1:${port}/` }));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    expect(problem).toMatchObject({
      retryable: true,
      message: expect.stringMatching(/returned 500: (no )+no?$/),
    });
    expect(problem.message.length).toBeLessThan(300);
    expect(written).toBeLessThan(100_000_000);
  });

  test('a host name that does not exist causes advice on its spelling', async () => {
    // A name that is too long fails without a DNS request.
    const host = `${'x'.repeat(64)}.example`;
    for (const sending of [
      send('slack', { url: `http://${host}/hook` }),
      send('email', { from: 'a@example.org', to: 'b@example.org', server: `smtp://${host}` }),
    ]) {
      expect(await problemOf(sending)).toMatchObject({
        code: 'channel/unreachable',
        retryable: true,
        advice: expect.stringContaining('the host name does not exist'),
      });
    }
    expect(adviceOnHost('x: getaddrinfo ENOTFOUND x')).toContain('the host name does not exist');
    expect(adviceOnHost('x: getaddrinfo EAI_AGAIN x')).toBeUndefined();
  });

  test('a refused connection is a temporary error', async () => {
    const { url } = chat;
    await chat.close();
    const problem = await problemOf(send('slack', { url: `${url}/hook` }));
    expect(problem).toMatchObject({ code: 'channel/unreachable', retryable: true });
    expect(problem.message).toMatch(/^127\.0\.0\.1:\d+: .*ECONNREFUSED/);
  });

  test.each([
    [
      'a variable that is not set',
      'slack',
      { url: '${env:NOT_SET}' },
      /the environment variable NOT_SET is not set/,
    ],
    ['a variable with a wrong format', 'slack', { url: '${env:TOKEN}' }, /^url: expected an http\(s\) URL/],
    [
      'an invalid secret',
      'webhook',
      { url: '${env:URL}', secret: '${env:TOKEN}' },
      /^secret: expected a secret in base64/,
    ],
  ])(
    '%s is a permanent error that does not contain its value',
    async (_case, type, channelSettings, message) => {
      const problem = await problemOf(send(type, channelSettings, env()));
      expect(problem).toMatchObject({ code: 'channel/invalid-settings', retryable: false });
      expect(problem.message).toMatch(message);
      expect(problem.message).not.toContain('the-token');
    },
  );
});

describe('e-mail', () => {
  let server: SMTPServer | undefined;
  const mails: ParsedMail[] = [];

  afterEach(async () => {
    const closing = server;
    server = undefined;
    mails.length = 0;
    if (closing !== undefined) await new Promise<void>((resolve) => closing.close(() => resolve()));
  });

  /** A real SMTP server with a self-signed certificate. */
  async function startSmtp(options: ConstructorParameters<typeof SMTPServer>[0] = {}): Promise<number> {
    server = new SMTPServer({
      logger: false,
      authOptional: true,
      onAuth: ({ username, password }, _session, done) =>
        username === 'reflex' && password === 'p@ss word'
          ? done(null, { user: username })
          : done(new Error('Invalid username or password')),
      onData: (stream, _session, done) => {
        simpleParser(stream).then(
          (mail) => {
            mails.push(mail);
            done();
          },
          (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
        );
      },
      ...options,
    });
    // Ignores clients that disconnect.
    server.on('error', () => undefined);
    const listening = server.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const address = listening.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  const ADDRESSES = { from: 'mdm@example.org', to: ['it@example.org', 'Help Desk <help@example.org>'] };

  test('arrives as HTML and text, over TLS, with a password', async () => {
    const port = await startSmtp();
    await send(
      'email',
      { ...ADDRESSES, server: '${env:SMTP_URL}', allow_self_signed: true },
      { SMTP_URL: `smtp://reflex:p%40ss%20word@127.0.0.1:${port}` },
    );
    const [mail] = mails;
    expect(mail?.subject).toBe('Ada joined');
    expect(mail?.messageId).toBe('<message-1@mdm-reflex>');
    expect(mail?.text).toContain('A MacBook Pro\nwith macOS 15.1');
    expect(mail?.text).toContain('https://reflex.example.org/#0123456789abcdef');
    expect(mail?.html).toContain('<h1');
    expect(mail?.headers.get('auto-submitted')).toBe('auto-generated');
  });

  test('a name is the subject and the text, and adds no header and no recipient', async () => {
    const port = await startSmtp({ disabledCommands: ['STARTTLS'] });
    const settings = { ...ADDRESSES, server: `smtp://127.0.0.1:${port}`, allow_insecure: true };
    const channel = openChannel({ name: 'x', type: 'email', settings }, {});
    for (const name of HOSTILE_NAMES) {
      const alert = alertAbout(name, { title: `Mac ${name}`, text: name });
      const message = composeMessage('message-1', [{ alerts: [alert] }], AT, undefined);
      await channel.send(message, new AbortController().signal);
      const mail = mails.at(-1);
      expect(mail?.subject?.replace(/\s+/g, ' ')).toBe(message.title.replaceAll('=?', '= ?'));
      expect(mail?.to).toMatchObject({ text: 'it@example.org, "Help Desk" <help@example.org>' });
      expect([...(mail?.headers.keys() ?? [])].sort()).toEqual([
        'auto-submitted',
        'content-type',
        'date',
        'from',
        'message-id',
        'mime-version',
        'subject',
        'to',
        'x-auto-response-suppress',
      ]);
    }
    expect(mails).toHaveLength(HOSTILE_NAMES.length);
  });

  test('with a wrong password is a permanent error that does not contain the password', async () => {
    const port = await startSmtp();
    const problem = await problemOf(
      send('email', {
        ...ADDRESSES,
        server: `smtp://reflex:wrong-password@127.0.0.1:${port}`,
        allow_self_signed: true,
      }),
    );
    expect(problem).toMatchObject({ code: 'channel/refused-credentials', retryable: false });
    expect(problem.message).toMatch(/^127\.0\.0\.1:\d+: .*Invalid username or password/);
    expect(problem.message).not.toContain('wrong-password');
  });

  test('is not sent to an untrusted certificate nor without TLS, unless the settings allow it', async () => {
    const port = await startSmtp();
    const unknown = await problemOf(send('email', { ...ADDRESSES, server: `smtp://127.0.0.1:${port}` }));
    expect(unknown.message).toMatch(/certificate/i);
    await new Promise<void>((resolve) => server?.close(() => resolve()));
    const clear = await startSmtp({ disabledCommands: ['STARTTLS'] });
    const refused = await problemOf(send('email', { ...ADDRESSES, server: `smtp://127.0.0.1:${clear}` }));
    expect(refused).toMatchObject({
      code: 'channel/no-tls',
      retryable: false,
      message: expect.stringMatching(
        /: the server offers no STARTTLS: use smtps:\/\/, or allow_insecure: true$/,
      ),
    });
    expect(mails).toEqual([]);
    await send('email', { ...ADDRESSES, server: `smtp://127.0.0.1:${clear}`, allow_insecure: true });
    expect(mails).toHaveLength(1);
  });

  test.each([
    ['smtp://bob:100%sure@127.0.0.1', 'bob', '100%sure'],
    ['smtp://b%40b:100%25@127.0.0.1', 'b@b', '100%'],
  ])('a bare %% in %s stands for itself', async (url, user, password) => {
    const credentials: unknown[] = [];
    const port = await startSmtp({
      onAuth: ({ username, password: pass }, _session, done) => {
        credentials.push(username, pass);
        done(null, { user: username });
      },
    });
    await send('email', { ...ADDRESSES, server: `${url}:${port}`, allow_self_signed: true });
    expect(credentials).toEqual([user, password]);
  });

  test('that is accepted for some recipients succeeds with a warning about the others', async () => {
    const port = await startSmtp({
      disabledCommands: ['STARTTLS'],
      onRcptTo: ({ address }, _session, done) =>
        address === 'it@example.org'
          ? done()
          : done(Object.assign(new Error('no such mailbox'), { responseCode: 550 })),
    });
    const settings = { ...ADDRESSES, server: `smtp://127.0.0.1:${port}`, allow_insecure: true };
    expect(await send('email', settings)).toEqual({
      response: expect.stringMatching(/^127\.0\.0\.1:\d+ returned 250/),
      warning: {
        code: 'channel/partly-refused',
        message: 'the server rejected help@example.org: correct "to"',
      },
    });
    expect(mails).toHaveLength(1);
  });

  describe('to a recipient that a rule names', () => {
    const envelopes: string[][] = [];
    async function sendTo(to: string[] | undefined, more: Record<string, unknown> = {}): Promise<Receipt> {
      envelopes.length = 0;
      const port = await startSmtp({
        disabledCommands: ['STARTTLS'],
        onData: (stream, session, done) => {
          envelopes.push(session.envelope.rcptTo.map(({ address }) => address));
          simpleParser(stream).then(
            (mail) => {
              mails.push(mail);
              done();
            },
            (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
          );
        },
      });
      const settings = {
        ...ADDRESSES,
        to: ['it@example.org'],
        to_domains: ['example.org'],
        server: `smtp://127.0.0.1:${port}`,
        allow_insecure: true,
        ...more,
      };
      return send('email', settings, {}, composed(to === undefined ? {} : { to }));
    }

    test('goes there and not to the recipients of the channel', async () => {
      expect(await sendTo(['Ada.L@EXAMPLE.org', 'bob@example.org'])).toEqual({ response: expect.anything() });
      expect(envelopes).toEqual([['Ada.L@example.org', 'bob@example.org']]);
      expect(mails[0]?.text).not.toContain('instead');
    });

    test.each([
      ['outside of to_domains', 'eve@evil.example', 'is outside of to_domains (example.org)'],
      ['empty', '', 'is empty'],
      ['an injected second recipient', 'a@example.org, eve@evil.example', 'is no plain e-mail address'],
      ['an injected header', 'a@example.org\r\nBcc: eve@evil.example', 'is no plain e-mail address'],
    ])('that is %s goes to the recipients of the channel with a note', async (_case, to, problem) => {
      const { warning } = await sendTo([to]);
      expect(envelopes).toEqual([['it@example.org']]);
      expect(mails[0]?.bcc).toBeUndefined();
      expect(mails[0]?.text).toContain('A MacBook Pro');
      expect(mails[0]?.text).toMatch(/is for a recipient that a rule names, but could not be sent there/);
      expect(warning).toEqual({
        code: 'channel/recipient-not-allowed',
        message: `not sent to ${JSON.stringify(to)}, which ${problem}; sent to the recipients of the channel instead: it@example.org`,
      });
    });

    test('goes to those that are allowed, with a warning about the others', async () => {
      const { warning } = await sendTo(['ada@example.org', 'eve@mail.example.org']);
      expect(envelopes).toEqual([['ada@example.org']]);
      expect(warning).toEqual({
        code: 'channel/recipient-not-allowed',
        message: 'not sent to "eve@mail.example.org", which is outside of to_domains (example.org)',
      });
    });
  });

  test('names itself in EHLO after hello or PUBLIC_URL', async () => {
    const names: string[] = [];
    const port = await startSmtp({
      disabledCommands: ['STARTTLS'],
      onMailFrom: (_address, session, done) => {
        names.push(session.hostNameAppearsAs);
        done();
      },
    });
    const settings = { ...ADDRESSES, server: `smtp://127.0.0.1:${port}`, allow_insecure: true };
    await send('email', settings, { PUBLIC_URL: 'https://reflex.example.org/' });
    await send('email', { ...settings, hello: '${env:HELO}' }, { HELO: 'mail.example.org' });
    expect(names).toEqual(['reflex.example.org', 'mail.example.org']);
  });

  test('about a problem and its end belong to one thread', async () => {
    const port = await startSmtp({ disabledCommands: ['STARTTLS'] });
    const settings = { ...ADDRESSES, server: `smtp://127.0.0.1:${port}`, allow_insecure: true };
    for (const message of [KEYED, RESOLVED]) await send('email', settings, {}, message);
    const [trigger, resolve] = mails;
    expect(trigger?.inReplyTo).toMatch(/^<[0-9a-f]{64}@mdm-reflex>$/);
    expect(resolve?.inReplyTo).toBe(trigger?.inReplyTo);
    expect(resolve?.references).toBe(trigger?.references);
    expect(resolve?.subject).toBe('Resolved: Ada joined');
  });

  test('is retryable after a 4xx reply, and not after a 5xx reply', async () => {
    const replyCodes = [451, 550];
    const port = await startSmtp({
      disabledCommands: ['STARTTLS'],
      onRcptTo: (_address, _session, done) =>
        done(Object.assign(new Error('not now or not ever'), { responseCode: replyCodes.shift() ?? 550 })),
    });
    const settings = { ...ADDRESSES, server: `smtp://127.0.0.1:${port}`, allow_insecure: true };
    expect(await problemOf(send('email', settings))).toMatchObject({
      code: 'channel/unavailable',
      retryable: true,
    });
    expect(await problemOf(send('email', settings))).toMatchObject({
      code: 'channel/refused',
      retryable: false,
    });
  });

  test('a refused connection is a temporary error', async () => {
    const problem = await problemOf(send('email', { ...ADDRESSES, server: 'smtp://127.0.0.1:9' }));
    expect(problem).toMatchObject({
      code: 'channel/unreachable',
      retryable: true,
      message: expect.stringMatching(/^127\.0\.0\.1:9: .*ECONNREFUSED/),
    });
  });

  test('a title with line breaks and headers stays in the subject', async () => {
    const port = await startSmtp({ disabledCommands: ['STARTTLS'] });
    const message = { ...MESSAGE, title: 'Ada\r\nBcc: eve@example.org\r\n\r\nhello' };
    await openChannel(
      {
        name: 'x',
        type: 'email',
        settings: { ...ADDRESSES, server: `smtp://127.0.0.1:${port}`, allow_insecure: true },
      },
      {},
    ).send(message, new AbortController().signal);
    expect(mails[0]?.bcc).toBeUndefined();
    expect(mails[0]?.subject).toContain('Bcc: eve@example.org');
  });
});
