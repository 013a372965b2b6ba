import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { SimpleMdmError } from '../../src/simplemdm/errors.js';
import { CALL_TESTS } from './calls/all-calls.js';
import { startConformanceWorld } from './calls/call-test.js';
import type { Answered, World } from './calls/call-test.js';
import { readExcerpt } from './reference/read-reference.js';
import { differences } from './shape.js';

const { calls: documented } = readExcerpt();

/** Statuses of calls that the reference shows none of, as real accounts answer them. */
function expectedStatuses(call: string): number[] {
  const shown = documented.find((known) => known.call === call)?.status;
  if (shown !== undefined) return [shown];
  return call.startsWith('GET') ? [200] : [200, 201, 202, 204];
}

const emptyList = z.looseObject({ data: z.array(z.unknown()).length(0) });

/** The first answer that says something: the first list of a test may still be empty. */
function firstFull(answers: readonly Answered[]): unknown {
  return answers.find(({ body }) => !emptyList.safeParse(body).success)?.body;
}

let world: World;

beforeEach(async () => {
  world = await startConformanceWorld();
});

afterEach(() => world.close());

describe.each(CALL_TESTS)(
  '$call: $client',
  ({ call, client, shows, run, refuses = [], beyond = [], lacks = [] }) => {
    test(shows, async () => {
      await run(world);
      expect(world.used.map(({ method }) => method)).toContain(client);
      const answers = world.answered.filter((answer) => answer.call === call);
      expect(answers).not.toEqual([]);
      for (const { status } of answers) expect(expectedStatuses(call)).toContain(status);
      for (const example of documented.find((known) => known.call === call)?.examples ?? []) {
        const { missing, changed, added } = differences(example, firstFull(answers));
        expect({ missing, changed }).toEqual({ missing: lacks, changed: [] });
        expect(added.filter((path) => !beyond.includes(path))).toEqual([]);
      }
    });

    if (refuses.length === 0) return;
    test.each(refuses)('$status when $when', async ({ status, run: refused }) => {
      const error = await refused(world).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (!(error instanceof SimpleMdmError)) throw new Error(`it was not refused: ${String(error)}`);
      expect(error.failure).toMatchObject({ kind: 'response', status, account: 'default' });
      expect(error.failure.titles?.join('')).toMatch(/./);
      expect(error.failure.mayHaveTakenEffect).toBe(false);
    });
  },
);

test('an account that answers 409 for what is so already: the client takes it as done', async () => {
  const conflicting = await startConformanceWorld({ conflicts: true });
  const { api } = conflicting;
  expect(await api.assignmentGroups.assignApp(26, 34)).toBe(409);
  expect(await api.assignmentGroups.unassignDevice(26, 121)).toBe(409);
  expect(await api.deviceGroups.assignDevice(41, 54)).toBe(409);
  expect(await api.customConfigurationProfiles.assignToDevice(13, 121)).toBe(409);
  await conflicting.close();
});

test('a key that may only read is refused every call that writes', async () => {
  const reading = await startConformanceWorld({
    apiKey: 'another-key',
    readOnlyApiKey: 'api-key-of-the-conformance-test',
  });
  const { api } = reading;
  for (const write of [
    api.account.update({ name: 'x' }),
    api.devices.wipe(54),
    api.scripts.create({ name: 'x', file: new Blob(['#!/bin/sh']) }),
    api.customAttributes.setValueForDevice(54, 'department', 'x'),
    api.devices.delete(54),
  ]) {
    await expect(write).rejects.toMatchObject({ failure: { status: 403 } });
  }
  expect((await api.devices.retrieve(54)).id).toBe(54);
  await reading.close();
});
