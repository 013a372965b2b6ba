import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { serviceVocabulary } from '../../../src/actions/service-vocabulary.js';
import { sweepFleet } from '../../../src/schedules/sweep-fleet.js';
import type { SweepEdges } from '../../../src/schedules/sweep-fleet.js';
import { deviceReferenceOf } from '../../../src/events/webhook-types.js';
import type { SweepProgress } from '../../../src/queues/jobs.js';
import { compileRuleFiles } from '../../../src/rules/compile-rule-files.js';
import type { Rule } from '../../../src/rules/model/rule.js';
import { createSimpleMdm } from '../../../src/simplemdm/client.js';
import type { SimpleMdm } from '../../../src/simplemdm/client.js';
import { recordWarning } from '../../../src/simplemdm/answer-warnings.js';
import type { Device } from '../../../src/simplemdm/devices.js';
import { createCachedLists } from '../../../src/simplemdm/cached-lists.js';
import { SimpleMdmError } from '../../../src/simplemdm/errors.js';
import { startSimulator } from '../../../simulator/start.js';
import type { Simulator } from '../../../simulator/start.js';
import { until } from '../../support/until.js';

const apiKey = 'api-key-of-the-test';

let simulator: Simulator;
let emittedEvents: { id: string; device: number | undefined }[];
let saved: SweepProgress | undefined;
let edges: SweepEdges | undefined;

beforeEach(async () => {
  simulator = await startSimulator({ apiKey, fleet: { devices: 120, seed: 4711 } });
  emittedEvents = [];
  saved = undefined;
  edges = undefined;
});
afterEach(() => simulator.close());

function ruleOf(more: string): Rule {
  const text = `rules: [{ id: weekly, on: { schedule: '0 8 * * 1', for_each: devices }, ${more} do: [log: hello] }]`;
  const { rules, problems } = compileRuleFiles(
    [{ name: 'rules.yaml', text }],
    serviceVocabulary({}, ['default']),
  );
  const [rule] = rules;
  if (rule === undefined) throw new Error(problems.map(({ text: problem }) => problem).join('\n'));
  return rule;
}

/** Continues the sweep from the saved progress with a new client, as another process does. */
function continueSweep(
  rule: Rule,
  account = 'default',
  signal?: AbortSignal,
  pages?: SimpleMdm['devices']['pages'],
): Promise<SweepProgress> {
  const api = createSimpleMdm({
    account,
    apiKey,
    baseUrl: simulator.url,
    ...(signal && { signal }),
    maxPauseWaitMs: 0,
    rate: { perSecond: 1000, burst: 1000 },
  });
  return sweepFleet({
    rule,
    account,
    tick: { id: 'repeat:weekly:1', at: '2026-01-05T08:00:00.000Z' },
    api: pages === undefined ? api : { ...api, devices: { ...api.devices, pages } },
    lists: createCachedLists(api),
    progress: saved,
    edges,
    save: (progress) => {
      saved = progress;
      return Promise.resolve();
    },
    emit: (event) => {
      emittedEvents.push({ id: event.id, device: deviceReferenceOf(event)?.id });
      return Promise.resolve();
    },
  });
}

const deviceIds = async (): Promise<number[]> => {
  const ids: number[] = [];
  const api = createSimpleMdm({ account: 'default', apiKey, baseUrl: simulator.url });
  for await (const { id } of api.devices.list()) ids.push(id);
  return ids;
};

test('the fleet is read page by page, and the event id depends on tick, account and device', async () => {
  const devices = await deviceIds();
  const { evaluated, emitted } = await continueSweep(ruleOf(''));
  expect([evaluated, emitted]).toEqual([devices.length, devices.length]);
  expect(emittedEvents.map(({ device }) => device)).toEqual(devices);
  const first = emittedEvents.splice(0);
  saved = undefined;
  await continueSweep(ruleOf(''));
  expect(emittedEvents).toEqual(first);
  saved = undefined;
  emittedEvents = [];
  await continueSweep(ruleOf(''), 'another');
  expect(emittedEvents.some(({ id }) => first.some((event) => event.id === id))).toBe(false);
});

test.each([401, 429])(
  'a %i in the middle of a page interrupts the sweep, which continues from its progress',
  async (status) => {
    const devices = await deviceIds();
    const rule = ruleOf('if: size(apps) >= 0,');
    const bad = devices[55] ?? 0;
    simulator.addFault({ path: `/devices/${bad}/installed_apps`, kind: 'status', status });
    await expect(continueSweep(rule)).rejects.toMatchObject({ failure: { status } });
    expect(saved).toMatchObject({ evaluated: 50, emitted: 50, lastDeviceId: devices[49] });
    expect(emittedEvents.some(({ device }) => device === bad)).toBe(false);

    simulator.clearFaults();
    simulator.clearCalls();
    expect(await continueSweep(rule)).toMatchObject({ evaluated: devices.length, emitted: devices.length });
    expect(simulator.calls()[0]).toMatchObject({
      path: '/devices',
      query: { starting_after: String(devices[49]) },
    });
    expect([...new Set(emittedEvents.map(({ device }) => device))].sort()).toEqual([...devices].sort());
    expect(new Set(emittedEvents.map(({ id }) => id)).size).toBe(devices.length);
  },
);

test('a stop of the process interrupts the sweep', async () => {
  const stop = new AbortController();
  simulator.addFault({ path: '/devices/*/installed_apps', kind: 'hang' });
  const going = continueSweep(ruleOf('if: size(apps) >= 0,'), 'default', stop.signal);
  const failure = going.then(
    () => undefined,
    (error: unknown) => error,
  );
  const isHanging = (): boolean => simulator.calls().some(({ path }) => path.endsWith('/installed_apps'));
  await until('the first devices are being evaluated', isHanging);
  stop.abort();
  const error = await failure;
  expect(error).toBeInstanceOf(SimpleMdmError);
  expect(error).toMatchObject({ failure: { kind: 'stopped' } });
  expect(emittedEvents).toEqual([]);
});

test('devices with unavailable facts get one event each, like the others', async () => {
  const devices = await deviceIds();
  const broken = [devices[3] ?? 0, devices[111] ?? 0];
  for (const id of broken)
    simulator.addFault({ path: `/devices/${id}/installed_apps`, kind: 'status', status: 500 });
  expect(await continueSweep(ruleOf('if: size(apps) < 0,'))).toMatchObject({
    evaluated: devices.length,
    emitted: 2,
  });
  expect(emittedEvents.map(({ device }) => device)).toEqual(broken);
});

/** Edges that know the raised devices and record what the sweep asks. */
function edgesWith(raised: readonly number[]): { edges: SweepEdges; asked: string[]; seen: number[] } {
  const asked: string[] = [];
  const seen: number[] = [];
  const record = (what: string): Promise<void> => {
    asked.push(what);
    return Promise.resolve();
  };
  return {
    asked,
    seen,
    edges: {
      start: () => record('start'),
      raisedAmong: (devices) => Promise.resolve(new Set(devices.filter((id) => raised.includes(id)))),
      markSeen: (devices) => {
        seen.push(...devices);
        return Promise.resolve();
      },
      keepAll: () => record('keep all'),
      finish: () => record('finish'),
    },
  };
}

const EDGE = 'when: becomes_true,';

test('of a rule with when, only devices whose edge may have come get an event', async () => {
  const devices = await deviceIds();
  const [kept = 0, turned = 0, cleared = 0, unknown = 0, broken = 0] = devices;
  const { edges: given, asked, seen } = edgesWith([kept, cleared, unknown]);
  edges = given;
  simulator.addFault({ path: `/devices/${broken}/installed_apps`, kind: 'status', status: 500 });
  // The condition is true for two devices, unknown for one, and false for the others; one cannot be evaluated.
  const condition = `device.id in [${kept}, ${turned}] || (device.id == ${unknown} && device.attributes["none"] == "x") || (device.id == ${broken} && size(apps) < 0)`;
  await continueSweep(ruleOf(`if: '${condition}', ${EDGE}`));
  expect(new Set(emittedEvents.map(({ device }) => device))).toEqual(new Set([turned, cleared, broken]));
  expect(asked).toEqual(['start', 'finish']);
  expect(seen).toEqual(devices);
});

test('a sweep that is killed between an event and its progress emits the same event again, and starts once', async () => {
  const { edges: given, asked } = edgesWith([]);
  const rule = ruleOf(`if: device.id > 0, ${EDGE}`);
  edges = { ...given, markSeen: () => Promise.reject(new Error('killed')) };
  await expect(continueSweep(rule)).rejects.toThrow('killed');
  expect(saved).toBeUndefined();
  const before = emittedEvents.splice(0);
  expect(before).toHaveLength(10);
  edges = given;
  const devices = await deviceIds();
  await continueSweep(rule);
  expect(emittedEvents.slice(0, 10)).toEqual(before);
  expect(emittedEvents).toHaveLength(devices.length);

  // With progress, the sweep does not begin anew.
  saved = { evaluated: 50, emitted: 50, lastDeviceId: devices[49] ?? 0 };
  asked.length = 0;
  await continueSweep(rule);
  expect(asked).toEqual(['finish']);
});

test('an interrupted list drops no device', async () => {
  const { edges: given, asked } = edgesWith([]);
  edges = given;
  simulator.addFault({ path: '/devices', kind: 'status', status: 401 });
  await expect(continueSweep(ruleOf(`if: device.id > 0, ${EDGE}`))).rejects.toThrow();
  expect(asked).toEqual(['start']);
});

describe('a list that lacks devices drops none', () => {
  const asked = async (pages: SimpleMdm['devices']['pages']): Promise<string[]> => {
    const given = edgesWith([]);
    edges = given.edges;
    await continueSweep(ruleOf(`if: device.id > 0, ${EDGE}`), 'default', undefined, pages);
    return given.asked;
  };
  const onePage = async (): Promise<Device[]> => {
    const api = createSimpleMdm({ account: 'default', apiKey, baseUrl: simulator.url });
    return (await api.devices.listPage({ limit: 3 })).data;
  };

  test('without any device', async () => {
    expect(
      await asked(async function* () {
        await Promise.resolve();
        yield [];
      }),
    ).toEqual(['start']);
  });

  test('with a record that cannot be read, on the last page as well', async () => {
    const devices = await onePage();
    expect(
      await asked(async function* () {
        yield devices;
        await Promise.resolve();
        recordWarning({ kind: 'unreadable_record', resource: 'devices', text: 'a record without an id' });
      }),
    ).toEqual(['start', 'keep all', 'finish']);
  });

  test('with a field that cannot be read, which leaves out no device', async () => {
    const devices = await onePage();
    expect(
      await asked(async function* () {
        await Promise.resolve();
        recordWarning({ kind: 'unreadable_field', resource: 'devices', recordId: 1, text: 'x' });
        yield devices;
      }),
    ).toEqual(['start', 'finish']);
  });
});
