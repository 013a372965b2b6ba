import { once } from 'node:events';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

/** A mail that a server has accepted. */
export interface Mail {
  /** The name in EHLO. */
  readonly hello: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
}

/** A mail server without TLS and without passwords. */
export interface Mailbox {
  /** For the setting `server` of a channel. */
  readonly url: string;
  readonly mails: () => readonly Mail[];
  readonly close: () => Promise<void>;
}

/** Starts a mail server on a loopback port of its own. */
export async function startMailbox(): Promise<Mailbox> {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    logger: false,
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, { envelope, hostNameAppearsAs: hello }, done) => {
      simpleParser(stream).then(
        ({ subject = '', text = '' }) => {
          mails.push({ hello, to: envelope.rcptTo.map(({ address }) => address), subject, text });
          done();
        },
        (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
      );
    },
  });
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const address = listening.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails: () => mails,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
