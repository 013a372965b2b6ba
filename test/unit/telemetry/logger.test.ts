import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { errorCode, errorText } from '../../../src/telemetry/error-text.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import type { Logger } from '../../../src/telemetry/logger.js';
import { createRedaction } from '../../../src/telemetry/redaction.js';
import { collectLog } from '../../support/log-lines.js';

function logged(secrets: readonly string[], write: (logger: Logger) => void, level = 'trace'): string {
  const { logTo, log } = collectLog();
  write(createLogger({ level, redact: createRedaction(secrets).redact, destination: logTo }));
  return log();
}

describe('no secret leaves through the log', () => {
  const SECRET = 'the-secret-4711';
  const CODE = 'redis/unreachable';
  test.each<[string, (logger: Logger) => void]>([
    ['in the message', (logger) => logger.info(`key ${SECRET}`)],
    ['in a field', (logger) => logger.info({ key: SECRET }, 'x')],
    ['in a nested object', (logger) => logger.info({ a: { b: [{ c: `x${SECRET}x` }] } }, 'x')],
    ['as the name of a field', (logger) => logger.info({ [SECRET]: 1 }, 'x')],
    ['in an error', (logger) => logger.info(new Error(`refused: ${SECRET}`))],
    [
      'in the cause of an error',
      (logger) => logger.error({ code: CODE, err: new Error('x', { cause: new Error(SECRET) }) }, 'x'),
    ],
    ['in a field of a child', (logger) => logger.child({ key: SECRET }).warn({ code: CODE }, 'x')],
    ['in a formatted message', (logger) => logger.info('key %s', SECRET)],
    ['in a URL', (logger) => logger.info({ url: `https://x/?k=${encodeURIComponent(SECRET)}` }, 'x')],
    [
      'in a header',
      (logger) =>
        logger.info({ authorization: `Basic ${Buffer.from(`${SECRET}:`).toString('base64')}` }, 'x'),
    ],
  ])('%s', (_where, write) => {
    const text = logged([SECRET], write);
    expect(text).toContain('[redacted]');
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain(Buffer.from(`${SECRET}:`).toString('base64'));
    for (const line of text.trimEnd().split('\n')) expect(() => void JSON.parse(line)).not.toThrow();
  });

  test('whatever characters the secret has', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 6, maxLength: 20 }), (secret) => {
        fc.pre(!/^[0-9]+$/.test(secret) && !'[redacted]'.includes(secret));
        const text = logged([secret], (logger) =>
          logger.info({ a: { b: [secret] }, err: new Error(secret) }, `m ${secret}`),
        );
        expect(text).not.toContain(`"${JSON.stringify(secret).slice(1, -1)}"`);
        expect(text.match(/\[redacted\]/g)?.length).toBeGreaterThanOrEqual(4);
      }),
    );
  });

  test('a line stays JSON when a number contains a secret of digits', () => {
    const text = logged(['123456'], (logger) => logger.info({ id: 1234567, pin: '123456' }, 'x'));
    expect(text).not.toContain('"123456"');
    expect(() => void JSON.parse(text)).not.toThrow();
  });
});

test('a line is JSON with level, ISO time, code, fields and message', () => {
  const line: unknown = JSON.parse(
    logged([], (logger) => logger.warn({ code: 'redis/unreachable', event: 'e1' }, 'a message')),
  );
  expect(line).toMatchObject({
    level: 40,
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    code: 'redis/unreachable',
    event: 'e1',
    msg: 'a message',
  });
});

test('lines below the level are not written', () => {
  expect(logged([], (logger) => logger.info('x'), 'warn')).toBe('');
  expect(logged([], (logger) => logger.fatal({ code: 'redis/unreachable' }, 'x'), 'silent')).toBe('');
});

test('errorText and errorCode accept any thrown value', () => {
  expect(errorText(new TypeError('wrong'))).toBe('wrong');
  expect(errorText('a text')).toBe('a text');
  expect(errorText(undefined)).toBe('undefined');
  expect(errorCode(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }))).toBe('ECONNREFUSED');
  expect(errorCode(Object.assign(new Error('x'), { code: 5 }))).toBeUndefined();
  expect(errorCode({ code: 'ECONNREFUSED' })).toBeUndefined();
});
