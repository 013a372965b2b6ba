import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { SimpleMdmError } from '../../src/simplemdm/errors.js';
import { CALL_TESTS } from './calls/all-calls.js';
import { startConformanceWorld } from './calls/call-test.js';
import type { RecordedResponse, World } from './calls/call-test.js';
import { readExcerpt } from './reference/read-reference.js';
import { isNewer } from './newer-fields.js';
import { differences } from './shape.js';

const { calls: documented } = readExcerpt();

/** The status of a call in the reference, or the statuses of real accounts when the reference has none. */
function expectedStatuses(call: string): number[] {
  const shown = documented.find((known) => known.call === call)?.status;
  if (shown !== undefined) return [shown];
  return call.startsWith('GET') ? [200] : [200, 201, 202, 204];
}

const emptyList = z.looseObject({ data: z.array(z.unknown()).length(0) });

/** The first response with content: the first list of a test may be empty. */
function firstWithContent(responses: readonly RecordedResponse[]): unknown {
  return responses.find(({ body }) => !emptyList.safeParse(body).success)?.body;
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
      const responses = world.responses.filter((response) => response.call === call);
      expect(responses).not.toEqual([]);
      for (const { status } of responses) expect(expectedStatuses(call)).toContain(status);
      for (const example of documented.find((known) => known.call === call)?.examples ?? []) {
        const { missing, changed, added } = differences(example, firstWithContent(responses));
        expect({ missing, changed }).toEqual({ missing: lacks, changed: [] });
        expect(added.filter((path) => !beyond.includes(path) && !isNewer(call, path))).toEqual([]);
      }
    });

    if (refuses.length === 0) return;
    test.each(refuses)('$status when $when', async ({ status, run: refused }) => {
      const error = await refused(world).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (!(error instanceof SimpleMdmError)) throw new Error(`expected an API error, got ${String(error)}`);
      expect(error.failure).toMatchObject({ kind: 'response', status, account: 'default' });
      expect(error.failure.titles?.join('')).toMatch(/./);
      expect(error.failure.mayHaveTakenEffect).toBe(false);
    });
  },
);

test('an account that returns 409 for a change already in place: the client treats it as success', async () => {
  const conflicting = await startConformanceWorld({ conflicts: true });
  const { api } = conflicting;
  expect(await api.assignmentGroups.assignApp(26, 34)).toBe(409);
  expect(await api.assignmentGroups.unassignDevice(26, 121)).toBe(409);
  expect(await api.deviceGroups.assignDevice(41, 54)).toBe(409);
  expect(await api.customConfigurationProfiles.assignToDevice(13, 121)).toBe(409);
  expect(await api.customDeclarations.unassignFromDevice(16, 121)).toBe(409);
  await conflicting.close();
});

test('a read-only key gets 403 for every call that writes', async () => {
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
