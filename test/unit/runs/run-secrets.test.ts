import { expect, test } from '@jest/globals';
import { openRunSecrets, sealingKey } from '../../../src/runs/run-secrets.js';

const KEY = sealingKey('api-key');
const URL_WITH_SECRETS = 'https://upload.example.org/bucket/4711-of-the-run?signature=abcdef0123456789';

test('a request to a secret address shows none of its secret parts', () => {
  const secrets = openRunSecrets(KEY, 'e.r', []);
  const json = { upload_url: URL_WITH_SECRETS };
  secrets.hide('http_request', { status_code: 200, body: JSON.stringify(json), json }, ['upload_url']);
  expect(secrets.redact('https://upload.example.org/bucket/4711-of-the-run')).toBe(
    'https://upload.example.org[redacted]',
  );
  expect(secrets.redact('signature abcdef0123456789')).toBe('signature [redacted]');
});

test('secrets of another run are revealed under the id of that run only', () => {
  const json = { access_token: 'tok-4711', id: 7, list: ['tok-4711'] };
  const answer = { status_code: 200, body: JSON.stringify(json), json };
  const { output, sealed } = openRunSecrets(KEY, 'e.r', []).hide('http_request', answer, []);
  const record = { action: 'http_request', output, ...(sealed !== undefined && { sealed }) };
  const later = openRunSecrets(KEY, 'e2.r', []);
  expect(later.revealOf('e.r', record)).toEqual(answer);
  expect(later.redact('tok-4711')).toBe('[redacted]');
  expect(openRunSecrets(KEY, 'e2.r', []).revealOf('e9.r', record)).toEqual({
    status_code: 200,
    json: { id: 7, list: [null] },
  });
});
