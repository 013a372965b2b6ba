import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { serviceVocabulary } from '../../../src/actions/service-vocabulary.js';
import { createFactFetcher } from '../../../src/enrichment/fetch-facts.js';
import type { Event } from '../../../src/events/envelope.js';
import { compileRuleFiles } from '../../../src/rules/compile-rule-files.js';
import type { Rule } from '../../../src/rules/model/rule.js';
import { evaluateRules } from '../../../src/runs/evaluate-rules.js';
import type { Decision } from '../../../src/runs/evaluate-rules.js';
import { sweepFleet } from '../../../src/schedules/sweep-fleet.js';
import { createCachedLists } from '../../../src/simplemdm/cached-lists.js';
import { createSimpleMdm } from '../../../src/simplemdm/client.js';
import type { SimpleMdm } from '../../../src/simplemdm/client.js';
import { SimpleMdmError } from '../../../src/simplemdm/errors.js';
import { REPLACEMENTS, mutateMessage, pick, seededRandom } from '../../support/mutate.js';
import type { Message, MutatedMessage } from '../../support/mutate.js';

// Each test runs its seeds one after the other; a failure names the seed, and the same seed gives the same answers.

const AGENT = 'com.example.agent';
const SERIAL = 'C02XK1ZMJGH5';

const DEVICE = {
  type: 'device',
  id: 121,
  attributes: {
    name: "Priya's MacBook Pro",
    status: 'enrolled',
    serial_number: SERIAL,
    enrolled_at: '2026-01-02T10:00:00.000Z',
    os_version: '15.1',
    model_name: 'MacBook Pro (14-inch, 2021)',
    product_name: 'MacBookPro18,3',
    imei: null,
    battery_level: '93%',
    device_capacity: 500,
    available_device_capacity: 125,
    is_supervised: true,
    filevault_enabled: true,
    firewall: { enabled: true, block_all_incoming: false, stealth_mode: false },
    ethernet_macs: ['a4:83:e7:00:00:01'],
  },
  relationships: { device_group: { data: { type: 'device_group', id: 41 } } },
};

const app = (id: number, identifier: string) => ({
  type: 'installed_app',
  id,
  attributes: { name: `App ${id}`, identifier, version: '1.0', managed: true },
});

/** The clean answers by path. */
const ANSWERS: Readonly<Record<string, unknown>> = {
  '/devices/121': { data: DEVICE },
  '/devices': { data: [DEVICE], has_more: false },
  '/devices/121/installed_apps': {
    data: [app(1, 'com.apple.Safari'), app(2, AGENT), app(12303072499, 'com.microsoft.Word')],
    has_more: false,
  },
  '/devices/121/custom_attribute_values': {
    data: [
      {
        type: 'custom_attribute_value',
        id: 'department',
        attributes: { value: 'Engineering', secret: false },
      },
    ],
  },
  '/device_groups': {
    data: [
      { type: 'device_group', id: 1, attributes: { name: 'Default' } },
      { type: 'device_group', id: 41, attributes: { name: 'Laptops' } },
    ],
    has_more: false,
  },
  // `in_group()` reads both kinds of groups.
  '/assignment_groups': {
    data: [{ type: 'assignment_group', id: 38, attributes: { name: 'Productivity Apps' } }],
    has_more: false,
  },
  '/dep_servers': {
    data: [{ type: 'dep_server', id: 1, attributes: { server_name: 'ABM' } }],
    has_more: false,
  },
  '/dep_servers/1/dep_devices': {
    data: [{ type: 'dep_device', id: 7, attributes: { serial_number: SERIAL, model: 'MacBook Pro' } }],
    has_more: false,
  },
};
const PATHS = Object.keys(ANSWERS);

/** Conditions that are true of the clean answers. */
const TRUE_RULES = {
  supervised: 'device.is_supervised == true',
  encrypted: 'device.filevault_enabled == true && device.firewall.enabled == true',
  mac: 'device.platform == "macOS"',
  full: 'device.capacity_free_ratio < 0.5',
  agent: `apps.exists(a, a.identifier == "${AGENT}")`,
  department: 'attributes.department == "Engineering"',
  laptops: 'in_group("Laptops")',
  abm: 'dep_device.dep_server_name == "ABM"',
};

/** Conditions that are false of the clean answers, and that a broken answer must not make true. */
const FALSE_RULES = {
  gone: 'device == null',
  no_apps: 'apps == null',
  no_agent: `!apps.exists(a, a.identifier == "${AGENT}")`,
  no_group: 'group == null',
  not_in_abm: 'dep_device == null',
  no_attributes: 'attributes == null',
  not_encrypted: 'device.filevault_enabled == false',
  not_supervised: '!device.is_supervised',
  open: 'device.firewall.enabled == false',
};

let answerTo: (path: string, startingAfter: string | null) => Message = () => clean('/devices');
let requests = 0;
let server: Server;
let baseUrl: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    requests += 1;
    request.resume();
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    const { status, contentType, body } = answerTo(pathname, searchParams.get('starting_after'));
    response.writeHead(status, contentType === '' ? {} : { 'content-type': contentType }).end(body);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  baseUrl = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
});

afterAll(
  () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
);

function clean(path: string): Message {
  const body = ANSWERS[path] ?? { errors: [{ title: 'object not found' }] };
  return { status: path in ANSWERS ? 200 : 404, contentType: 'application/json', body: JSON.stringify(body) };
}

function client(): SimpleMdm {
  return createSimpleMdm({
    apiKey: 'key',
    baseUrl,
    retries: 0,
    maxPauseWaitMs: 0,
    rate: { perSecond: 10_000, burst: 10_000 },
  });
}

function rulesOf(conditions: Readonly<Record<string, string>>): readonly Rule[] {
  const rules = Object.entries(conditions).map(([id, condition]) => ({
    id,
    on: '*',
    if: condition,
    do: [{ log: 'x' }],
  }));
  const compiled = compileRuleFiles(
    [{ name: 'rules.yaml', text: JSON.stringify({ rules }) }],
    serviceVocabulary({}, ['default']),
  );
  expect(compiled.problems.map(({ text }) => text)).toEqual([]);
  return compiled.rules;
}

function eventAbout(device: Readonly<Record<string, unknown>>): Event {
  const at = '2026-01-02T10:00:00.000Z';
  const type = 'device.enrolled';
  return { id: 'e', account: 'default', type, at, receivedAt: at, source: 'webhook', data: { device } };
}

/** The decisions on rules by id, and the warnings of all facts. */
async function decide(
  event: Event,
  rules: readonly Rule[],
): Promise<{ decisions: ReadonlyMap<string, Decision>; warnings: string[] }> {
  const api = client();
  const warnings: string[] = [];
  const facts = createFactFetcher({
    event,
    api,
    lists: createCachedLists(api),
    known: new Map(),
    onFact: (_name, fact) => {
      warnings.push(...(fact.warnings ?? []));
      return Promise.resolve();
    },
  });
  const decisions = await evaluateRules(event, rules, facts);
  return { decisions: new Map(decisions.map((decision) => [decision.rule.source.id, decision])), warnings };
}

/** The facts of each rule come from these paths. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    [...Object.keys(TRUE_RULES), ...Object.keys(FALSE_RULES)].map((id) => [id, ['/devices/121']]),
  ),
  ...Object.fromEntries(['agent', 'no_agent', 'no_apps'].map((id) => [id, ['/devices/121/installed_apps']])),
  ...Object.fromEntries(
    ['department', 'no_attributes'].map((id) => [id, ['/devices/121/custom_attribute_values']]),
  ),
  laptops: ['/devices/121', '/device_groups', '/assignment_groups'],
  no_group: ['/devices/121', '/device_groups'],
  abm: ['/devices/121', '/dep_servers', '/dep_servers/1/dep_devices'],
  not_in_abm: ['/devices/121', '/dep_servers', '/dep_servers/1/dep_devices'],
};

const scalar = z.union([z.string(), z.number()]);
const appsWithIdentifier = z.object({
  data: z.array(
    z.looseObject({
      id: z.union([z.int(), z.string().regex(/^\d{1,15}$/)]),
      attributes: z.looseObject({ identifier: scalar }),
    }),
  ),
});
const withText = z.looseObject({
  data: z.array(z.looseObject({ attributes: z.looseObject({ serial_number: scalar.nullish() }) })),
});

/**
 * Whether a mutated answer says in readable form what the rule asks for: another valid value is another fact. A list of apps of which
 * each has an identifier, and none is the agent; a device in no group; devices in Apple Business Manager with other serial numbers.
 */
function isSaid(rule: string, path: string, body: unknown): boolean {
  if (rule === 'no_agent' && path.endsWith('/installed_apps')) {
    const apps = appsWithIdentifier.safeParse(body).data?.data;
    return apps?.every(({ attributes }) => attributes.identifier !== AGENT) === true;
  }
  // A link to the group that is missing or cannot be read is null, and the rule asks for null.
  if (rule === 'no_group' && path === '/devices/121') return true;
  if (rule === 'not_in_abm') {
    if (path === '/dep_servers')
      return z.object({ data: z.array(z.unknown()).length(0) }).safeParse(body).success;
    return withText.safeParse(body).success;
  }
  return false;
}

test('the clean answers', async () => {
  answerTo = (path) => clean(path);
  const { decisions, warnings } = await decide(
    eventAbout({ id: 121 }),
    rulesOf({ ...TRUE_RULES, ...FALSE_RULES }),
  );
  const matched = [...decisions].flatMap(([id, { verdict }]) => (verdict === 'matched' ? [id] : []));
  expect(matched.sort()).toEqual(Object.keys(TRUE_RULES).sort());
  expect(warnings).toEqual([]);
});

describe('one mutated answer', () => {
  const SEEDS = Array.from({ length: 240 }, (_, index) => index + 1);

  test('never decides a rule wrongly, and never stops the others', async () => {
    const rules = rulesOf({ ...TRUE_RULES, ...FALSE_RULES });
    for (const seed of SEEDS) {
      // Most rules need the device and its apps.
      const path = pick(seededRandom(seed), [...PATHS, ...PATHS.slice(0, 3), ...PATHS.slice(0, 3)]);
      const mutated = mutateMessage(clean(path), seed);
      answerTo = (asked) => (asked === path ? mutated : clean(asked));
      requests = 0;
      const { decisions } = await decide(eventAbout({ id: 121 }), rules);
      const context = `seed ${seed}, ${path}: ${mutated.what}`;
      expect(`${context}: ${requests < 40 ? 'few' : requests} requests`).toBe(`${context}: few requests`);
      expect(problemsOf(decisions, path, mutated).map((problem) => `${context}: ${problem}`)).toEqual([]);
    }
  });

  test('finds the device by serial number, waits, or says that there is none', async () => {
    const rules = rulesOf({ gone: 'device == null', here: 'device.id == 121' });
    for (const seed of SEEDS.slice(0, 80)) {
      const mutated = mutateMessage(clean('/devices'), seed);
      answerTo = (asked) => (asked === '/devices' ? mutated : clean(asked));
      const { decisions } = await decide(eventAbout({ serial_number: SERIAL }), rules);
      const gone = decisions.get('gone');
      const context = `seed ${seed}: ${mutated.what}: ${gone?.verdict ?? 'undecided'}`;
      const saysSo = withText.safeParse(jsonOf(mutated.body)).data;
      const isGoneSaid = saysSo?.data.every(({ attributes }) => attributes.serial_number !== SERIAL);
      if (isGoneSaid !== true) expect(context).not.toMatch(/: matched$/);
      expect(context).not.toMatch(/: error$/);
    }
  });

  /** What is wrong about the decisions. */
  function problemsOf(
    decisions: ReadonlyMap<string, Decision>,
    path: string,
    mutated: MutatedMessage,
  ): string[] {
    const body = jsonOf(mutated.body);
    return [...decisions].flatMap(([id, { verdict, unknown, cause, reason }]) => {
      const isAffected = NEEDS[id]?.includes(path) === true;
      const isTrue = id in TRUE_RULES;
      const problem = (text: string): string[] => [`rule ${id}: ${text} (${verdict}: ${reason})`];
      if (verdict === 'error') return problem('it cannot be decided for good');
      if (!isAffected) {
        return verdict === (isTrue ? 'matched' : 'not_matched') ? [] : problem('the answer is not its own');
      }
      if (mutated.what in REPLACEMENTS) {
        if (verdict !== 'waiting') return problem('it does not wait');
        const isKnown = ['api/not-simplemdm', 'api/server-error', 'api/unreachable'].includes(
          cause?.code ?? '',
        );
        return isKnown ? [] : problem(`its cause is ${cause?.code ?? 'unknown'}`);
      }
      if (verdict === 'waiting') return [];
      if (verdict === 'matched') return isTrue || isSaid(id, path, body) ? [] : problem('it matches');
      // A flag that is neither true nor false is unknown. Other values may have become other valid values.
      const isFlag = ['supervised', 'encrypted'].includes(id);
      return isTrue && isFlag && unknown !== true ? problem('it is false, and not unknown') : [];
    });
  }
});

function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

describe('lists that do not end', () => {
  test.each(
    PATHS.filter((path) => Array.isArray(z.looseObject({ data: z.unknown() }).parse(ANSWERS[path]).data)),
  )('%s: the same page, whatever the cursor', async (path) => {
    const stuck = { ...z.looseObject({}).parse(ANSWERS[path]), has_more: true };
    answerTo = (asked) =>
      asked === path
        ? { status: 200, contentType: 'application/json', body: JSON.stringify(stuck) }
        : clean(asked);
    requests = 0;
    const rules = rulesOf({ ...TRUE_RULES, ...FALSE_RULES });
    const { decisions } = await decide(eventAbout({ id: 121 }), rules);
    expect(requests).toBeLessThan(40);
    for (const [id, { verdict, cause }] of decisions) {
      if (NEEDS[id]?.includes(path) !== true) continue;
      // A record that is found before the list turns out to be broken is found.
      if (verdict === 'waiting') expect(cause?.code).toBe('api/incomplete-list');
      else expect(`${id}: ${verdict}`).toBe(`${id}: ${id in TRUE_RULES ? 'matched' : 'not_matched'}`);
    }
  });
});

describe('a sweep over mutated pages', () => {
  const FLEET = Array.from({ length: 6 }, (_, index) => ({
    ...DEVICE,
    id: 200 + index,
    attributes: { ...DEVICE.attributes, serial_number: `C02${index}`, name: `Mac ${index}` },
  }));
  const [rule] = compileRuleFiles(
    [
      {
        name: 'rules.yaml',
        text: `rules: [{ id: weekly, on: { schedule: '0 8 * * 1', for_each: devices }, if: device.filevault_enabled == false, do: [log: x] }]`,
      },
    ],
    serviceVocabulary({}, ['default']),
  ).rules;

  async function sweep(): Promise<{ evaluated: number; incomplete?: string } | SimpleMdmError> {
    if (rule === undefined) throw new Error('the rule does not compile');
    const api = client();
    return sweepFleet({
      rule,
      account: 'default',
      tick: { id: 't', at: '2026-01-05T08:00:00.000Z' },
      api,
      lists: createCachedLists(api),
      progress: undefined,
      save: () => Promise.resolve(),
      // No device has FileVault off.
      emit: (event) => Promise.reject(new Error(`wrong match: ${JSON.stringify(event.data)}`)),
    }).catch((error: unknown) => {
      if (error instanceof SimpleMdmError) return error;
      throw error;
    });
  }

  test('evaluates what can be read, or reports that SimpleMDM is unreachable', async () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = seededRandom(seed);
      const first = { data: FLEET.slice(0, 3), has_more: true };
      const second = { data: FLEET.slice(3), has_more: false };
      const page = (body: unknown): Message => ({
        status: 200,
        contentType: 'application/json',
        body: JSON.stringify(body),
      });
      const mutated = mutateMessage(page(pick(random, [first, second])), seed);
      const isFirst = mutated.body.includes('C020') || random() < 0.5;
      answerTo = (_path, startingAfter) => {
        if (startingAfter === null) return isFirst ? mutated : page(first);
        return isFirst ? page(second) : mutated;
      };
      requests = 0;
      const result = await sweep();
      const context = `seed ${seed}: ${mutated.what}`;
      expect(`${context}: ${requests < 40}`).toBe(`${context}: true`);
      if (result instanceof SimpleMdmError) {
        expect(`${context}: ${result.code}`).toMatch(/api\/(?:not-simplemdm|server-error|unreachable)$/);
      } else if (!(mutated.what in REPLACEMENTS)) {
        expect(`${context}: ${result.evaluated}`).toMatch(/: [1-9]$/);
      }
    }
  });

  test('a cursor that does not move ends the sweep, with what the list gave', async () => {
    answerTo = () => ({
      status: 200,
      contentType: 'application/json',
      body: JSON.stringify({ data: FLEET, has_more: true }),
    });
    requests = 0;
    expect(await sweep()).toMatchObject({
      evaluated: 6,
      emitted: 0,
      incomplete: expect.stringContaining('only records of earlier pages'),
    });
    expect(requests).toBe(2);
  });
});
