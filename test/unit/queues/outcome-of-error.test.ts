import { describe, expect, test } from '@jest/globals';
import { outcomeOfApiError } from '../../../src/queues/outcome-of-error.js';
import { SimpleMdmError } from '../../../src/simplemdm/errors.js';
import type { Failure } from '../../../src/simplemdm/errors.js';

const NOW = 1_700_000_000_000;
const job = (isLastAttempt: boolean) => ({ isLastAttempt, retryAt: (notBefore = NOW) => notBefore + 1000 });

const error = (failure: Partial<Failure>): SimpleMdmError =>
  new SimpleMdmError({
    kind: 'response',
    account: 'default',
    method: 'GET',
    path: '/devices/1',
    mayHaveTakenEffect: false,
    ...failure,
  });

describe('outcomeOfApiError', () => {
  test.each<[string, Partial<Failure>, object, object]>([
    ['the process stops', { kind: 'stopped' }, { kind: 'requeue' }, { kind: 'requeue' }],
    ...[{ status: 401 }, { status: 429 }, { kind: 'paused' as const }].map(
      (failure): [string, Partial<Failure>, object, object] => [
        `an unavailable account: ${JSON.stringify(failure)}`,
        failure,
        { kind: 'retry', countsAttempt: false },
        { kind: 'retry', countsAttempt: false },
      ],
    ),
    ...[
      { status: 408 },
      { status: 500 },
      { status: 503 },
      { kind: 'network' as const },
      { kind: 'timeout' as const },
      { kind: 'malformed' as const },
      { kind: 'foreign' as const },
      { kind: 'incomplete' as const },
    ].map((failure): [string, Partial<Failure>, object, object] => [
      `a failure that may pass: ${JSON.stringify(failure)}`,
      failure,
      { kind: 'retry', countsAttempt: true },
      { kind: 'failed' },
    ]),
    ...[{ status: 403 }, { status: 404 }, { status: 422 }].map(
      (failure): [string, Partial<Failure>, object, object] => [
        `a failure that does not pass: ${JSON.stringify(failure)}`,
        failure,
        { kind: 'failed' },
        { kind: 'failed' },
      ],
    ),
  ])('%s', (_what, failure, early, last) => {
    const failed = error(failure);
    expect(outcomeOfApiError(failed, job(false))).toMatchObject({ ...early, reason: failed.message });
    expect(outcomeOfApiError(failed, job(true))).toMatchObject({ ...last, reason: failed.message });
  });

  test.each([429, 503])('a retry after %d respects the time that SimpleMDM asks for', (status) => {
    const retryAt = NOW + 60_000;
    expect(outcomeOfApiError(error({ status, retryAt }), job(false))).toMatchObject({ at: retryAt + 1000 });
  });

  test('an outcome carries the code of the error', () => {
    const failed = error({ status: 503 });
    expect(outcomeOfApiError(failed, job(false))).toMatchObject({ code: failed.code });
    expect(outcomeOfApiError(failed, job(true))).toMatchObject({ code: failed.code });
  });
});
