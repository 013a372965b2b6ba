import { expect, test } from '@jest/globals';
import { secretsOf } from '../../../src/rules/model/rule-secrets.js';
import { createRedaction } from '../../../src/telemetry/redaction.js';

const masked = (value: string, text: string): string => {
  const channels = [{ name: 'c', type: 'slack', settings: { url: '${env:THE_URL}' } }];
  return createRedaction(secretsOf({ rules: [], channels }, { THE_URL: value })).redact(text);
};

const SLACK = 'https://hooks.slack.com/services/T00000001/B00000001/abcdefghijklmnopqrstuvwx';
const TEAMS = 'https://teams.example.org/workflows/paths/invoke?api-version=1&sig=abcdefghijklmnop-qrst';

test.each([
  [SLACK, SLACK],
  [SLACK, '/services/T00000001/B00000001/abcdefghijklmnopqrstuvwx'],
  [SLACK, 'abcdefghijklmnopqrstuvwx'],
  [TEAMS, '/workflows/paths/invoke?api-version=1&sig=abcdefghijklmnop-qrst'],
  [TEAMS, 'abcdefghijklmnop-qrst'],
  ['smtp://bob:100%25sure@mail.example.org', '100%sure'],
  ['smtp://bob:100%sure@mail.example.org', '100%sure'],
])('a part of %s is masked: %s', (value, part) => {
  expect(masked(value, `no webhook ${part} here`)).toBe('no webhook [redacted] here');
});

test('a short path is not a secret: it occurs in ordinary texts', () => {
  expect(masked('https://a.simplemdm.com/api/v1', 'GET /api/v1/devices of a.simplemdm.com')).toBe(
    'GET /api/v1/devices of a.simplemdm.com',
  );
});

test.each([
  ['STAGE', 'production', 'com.production.app'],
  ['TZ', 'Europe/Berlin', 'Europe/Berlin'],
])('a plain word under a plain name is not a secret: %s=%s', (name, value, text) => {
  const channels = [{ name: 'c', type: 'slack', settings: { url: `\${env:${name}}` } }];
  expect(createRedaction(secretsOf({ rules: [], channels }, { [name]: value })).redact(text)).toBe(text);
});

test.each(['SMTP_PASSWORD', 'API_KEY', 'apiToken'])('a word under the name %s is a secret', (name) => {
  const channels = [{ name: 'c', type: 'slack', settings: { url: `\${env:${name}}` } }];
  const { redact } = createRedaction(secretsOf({ rules: [], channels }, { [name]: 'correcthorse' }));
  expect(redact('it is correcthorse')).toBe('it is [redacted]');
});
