import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { simpleParser } from 'mailparser';
import type { ParsedMail } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { composeMessage } from '../../../src/alerts/message.js';
import { DeliveryError, adviceOnHost } from '../../../src/channels/channel.js';
import type { Receipt } from '../../../src/channels/channel.js';
import { openChannel } from '../../../src/channels/open-channel.js';
import { CHANNEL_TYPES } from '../../../src/channels/registry.js';
import { startChat } from '../../support/chat.js';
import type { Chat } from '../../support/chat.js';
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
): Promise<Receipt> =>
  openChannel({ name: 'x', type, settings }, env).send(MESSAGE, new AbortController().signal);

async function problemOf(sending: Promise<unknown>): Promise<DeliveryError> {
  const problem: unknown = await sending.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (problem instanceof DeliveryError) return problem;
  throw new Error(`it did not fail as expected: ${String(problem)}`);
}

describe('what is posted', () => {
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

  test('every kind of channel has its test', () => {
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

  test.each([
    [{ status: 404 }, true, /answered 404: ok$/],
    [{ status: 400, body: 'invalid_blocks\n' }, true, /answered 400: invalid_blocks$/],
    [{ status: 302, headers: { Location: 'http://127.0.0.1:1/' } }, true, /answered 302/],
    [{ status: 500 }, false, /answered 500/],
    [{ status: 429, headers: { 'Retry-After': '7' } }, false, /answered 429/],
  ])('%j', async (answer, refused, message) => {
    chat.answerNext(answer);
    const problem = await problemOf(send('slack', { url: '${env:URL}' }, env()));
    expect(problem.refused).toBe(refused);
    expect(problem.message).toMatch(message);
    expect(problem.message).not.toContain('/hook');
    if (answer.status === 429) expect(problem.notBefore).toBeGreaterThan(Date.now() + 5000);
  });

  test('what was answered is told', async () => {
    expect(await send('slack', { url: '${env:URL}' }, env())).toEqual({
      answer: expect.stringMatching(/^127\.0\.0\.1:\d+ answered 200: ok$/),
    });
  });

  test('a user and a password in an address are sent as Basic authentication', async () => {
    const url = chat.url.replace('//', '//reflex:p%40ss%@');
    await send('webhook', { url: '${env:URL}' }, { URL: `${url}/x` });
    expect(chat.requests()).toMatchObject([
      { path: '/x', headers: { authorization: `Basic ${Buffer.from('reflex:p%40ss%').toString('base64')}` } },
    ]);
  });

  test('a header that cannot be sent is refused for good, without its value', async () => {
    const problem = await problemOf(
      send('webhook', { url: '${env:URL}', headers: { 'X-Team': 'secret ☂' } }, env()),
    );
    expect(problem).toMatchObject({ refused: true, message: expect.stringContaining('"X-Team"') });
    expect(problem.message).not.toContain('secret');
  });

  test('an endless answer is not read to its end', async () => {
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
      refused: false,
      message: expect.stringMatching(/answered 500: (no )+no?$/),
    });
    expect(problem.message.length).toBeLessThan(300);
    expect(written).toBeLessThan(100_000_000);
  });

  test('a name that there is not may be written wrongly', async () => {
    // A name that is too long is known to be wrong without asking anybody.
    const host = `${'x'.repeat(64)}.example`;
    for (const sending of [
      send('slack', { url: `http://${host}/hook` }),
      send('email', { from: 'a@example.org', to: 'b@example.org', server: `smtp://${host}` }),
    ]) {
      expect(await problemOf(sending)).toMatchObject({
        refused: false,
        advice: expect.stringContaining('no host of this name'),
      });
    }
    expect(adviceOnHost('x: getaddrinfo ENOTFOUND x')).toContain('no host of this name');
    expect(adviceOnHost('x: getaddrinfo EAI_AGAIN x')).toBeUndefined();
  });

  test('nobody there: it may pass', async () => {
    const { url } = chat;
    await chat.close();
    const problem = await problemOf(send('slack', { url: `${url}/hook` }));
    expect(problem.refused).toBe(false);
    expect(problem.message).toMatch(/^127\.0\.0\.1:\d+: .*ECONNREFUSED/);
  });

  test.each([
    [
      'a variable that is not set',
      'slack',
      { url: '${env:NOT_SET}' },
      /the environment variable NOT_SET is not set/,
    ],
    [
      'a variable with something else in it',
      'slack',
      { url: '${env:TOKEN}' },
      /^url: expected an http\(s\) address/,
    ],
    [
      'a secret that is none',
      'webhook',
      { url: '${env:URL}', secret: '${env:TOKEN}' },
      /^secret: expected a secret in base64/,
    ],
  ])('%s is told without its value', async (_what, type, given, message) => {
    const problem = await problemOf(send(type, given, env()));
    expect(problem.refused).toBe(true);
    expect(problem.message).toMatch(message);
    expect(problem.message).not.toContain('the-token');
  });
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

  /** A real SMTP server with a certificate of its own. */
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
    // A client that breaks off is its own trouble.
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

  test('is refused for good with a wrong password, which is not told', async () => {
    const port = await startSmtp();
    const problem = await problemOf(
      send('email', {
        ...ADDRESSES,
        server: `smtp://reflex:wrong-password@127.0.0.1:${port}`,
        allow_self_signed: true,
      }),
    );
    expect(problem.refused).toBe(true);
    expect(problem.message).toMatch(/^127\.0\.0\.1:\d+: .*Invalid username or password/);
    expect(problem.message).not.toContain('wrong-password');
  });

  test('does not go to a server whose certificate nobody knows, nor in the clear, unless that is said', async () => {
    const port = await startSmtp();
    const unknown = await problemOf(send('email', { ...ADDRESSES, server: `smtp://127.0.0.1:${port}` }));
    expect(unknown.message).toMatch(/certificate/i);
    await new Promise<void>((resolve) => server?.close(() => resolve()));
    const clear = await startSmtp({ disabledCommands: ['STARTTLS'] });
    const refused = await problemOf(send('email', { ...ADDRESSES, server: `smtp://127.0.0.1:${clear}` }));
    expect(refused).toMatchObject({
      refused: true,
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
  ])('a bare %% in %s means itself', async (url, user, password) => {
    const given: unknown[] = [];
    const port = await startSmtp({
      onAuth: ({ username, password: pass }, _session, done) => {
        given.push(username, pass);
        done(null, { user: username });
      },
    });
    await send('email', { ...ADDRESSES, server: `${url}:${port}`, allow_self_signed: true });
    expect(given).toEqual([user, password]);
  });

  test('that is taken for some and not for others has arrived, and says for whom not', async () => {
    const port = await startSmtp({
      disabledCommands: ['STARTTLS'],
      onRcptTo: ({ address }, _session, done) =>
        address === 'it@example.org'
          ? done()
          : done(Object.assign(new Error('no such mailbox'), { responseCode: 550 })),
    });
    const settings = { ...ADDRESSES, server: `smtp://127.0.0.1:${port}`, allow_insecure: true };
    expect(await send('email', settings)).toEqual({
      answer: expect.stringMatching(/^127\.0\.0\.1:\d+ answered 250/),
      warning: 'the server does not take it for help@example.org: correct "to"',
    });
    expect(mails).toHaveLength(1);
  });

  test('that the server does not take for now may pass, what it refuses may not', async () => {
    const answers = [451, 550];
    const port = await startSmtp({
      disabledCommands: ['STARTTLS'],
      onRcptTo: (_address, _session, done) =>
        done(Object.assign(new Error('not now or not ever'), { responseCode: answers.shift() ?? 550 })),
    });
    const settings = { ...ADDRESSES, server: `smtp://127.0.0.1:${port}`, allow_insecure: true };
    expect((await problemOf(send('email', settings))).refused).toBe(false);
    expect((await problemOf(send('email', settings))).refused).toBe(true);
  });

  test('nobody there: it may pass', async () => {
    const problem = await problemOf(send('email', { ...ADDRESSES, server: 'smtp://127.0.0.1:9' }));
    expect(problem).toMatchObject({
      refused: false,
      message: expect.stringMatching(/^127\.0\.0\.1:9: .*ECONNREFUSED/),
    });
  });

  test('a title with line breaks and headers in it is a subject', async () => {
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
