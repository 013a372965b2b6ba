import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { withoutSecrets } from '../../../src/simplemdm/secrets.js';

function parsed(value: unknown): unknown {
  const found: unknown = JSON.parse(JSON.stringify(value), withoutSecrets);
  return found;
}

test('the secret fields of a device are dropped, whatever their value', () => {
  expect(
    parsed({
      data: {
        id: 1,
        attributes: {
          name: 'Mac',
          filevault_recovery_key: 'XXXX',
          firmware_password: null,
          recovery_lock_password: { a: 1 },
          firmware_password_enabled: true,
          recovery_lock_password_enabled: true,
          filevault_enabled: true,
        },
      },
    }),
  ).toEqual({
    data: {
      id: 1,
      attributes: {
        name: 'Mac',
        firmware_password_enabled: true,
        recovery_lock_password_enabled: true,
        filevault_enabled: true,
      },
    },
  });
});

test('the value of a secret custom attribute is null; other values are kept', () => {
  expect(
    parsed({
      data: [
        { id: 'pin', attributes: { value: '4711', secret: true } },
        { id: 'room', attributes: { value: 'A1', secret: false } },
        { id: 'floor', attributes: { value: '5' } },
        { id: 'empty', attributes: { secret: true } },
      ],
    }),
  ).toEqual({
    data: [
      { id: 'pin', attributes: { value: null, secret: true } },
      { id: 'room', attributes: { value: 'A1', secret: false } },
      { id: 'floor', attributes: { value: '5' } },
      { id: 'empty', attributes: { secret: true } },
    ],
  });
});

test('secrets are dropped at any depth and the rest is kept', () => {
  const SECRET = 'the-secret-4711';
  const record = fc.constantFrom<Record<string, unknown>>(
    { filevault_recovery_key: SECRET, kept: 1 },
    { firmware_password: [SECRET], kept: 1 },
    { recovery_lock_password: SECRET, kept: 1 },
    { value: SECRET, secret: true, kept: 1 },
  );
  const nested = fc.letrec<{ nested: unknown }>((tie) => ({
    nested: fc.oneof(
      { depthSize: 'small' },
      record,
      fc.array(tie('nested'), { minLength: 1, maxLength: 3 }),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), tie('nested'), { minKeys: 1, maxKeys: 3 }),
    ),
  })).nested;
  fc.assert(
    fc.property(nested, (value) => {
      const text = JSON.stringify(parsed(value));
      expect(text).not.toContain(SECRET);
      expect(text.split('"kept":1').length).toBe(JSON.stringify(value).split('"kept":1').length);
    }),
  );
});
