import { describe, expect, test } from '@jest/globals';
import { createFactFetcher } from '../../../src/enrichment/fetch-facts.js';
import { createCachedLists } from '../../../src/simplemdm/cached-lists.js';
import type { Event } from '../../../src/events/envelope.js';
import { cannedApi } from '../simplemdm/canned-api.js';
import type { CannedResponses } from '../simplemdm/canned-api.js';

const link = (type: string, ...ids: number[]) => ({ data: ids.map((id) => ({ type, id })) });

const GROUPS = {
  data: [
    {
      type: 'assignment_group',
      id: 1,
      attributes: { name: 'Own', type: 'standard', group_type: 'static' },
      relationships: { devices: link('device', 121), device_groups: link('device_group') },
    },
    {
      type: 'assignment_group',
      id: 2,
      attributes: { name: 'Through the device group' },
      relationships: { devices: link('device'), device_groups: link('device_group', 7) },
    },
    {
      type: 'assignment_group',
      id: 3,
      attributes: { name: 'Dynamic', group_type: 'dynamic' },
      relationships: { devices: link('device') },
    },
    { type: 'assignment_group', id: 4, attributes: { name: 'Other' } },
  ],
};

const device = (groups?: object) => ({
  data: {
    type: 'device',
    id: 121,
    attributes: { name: 'Mac' },
    relationships: { device_group: { data: { type: 'device_group', id: 7 } }, ...groups },
  },
});

function setUp(responses: CannedResponses, source: Event['source'] = 'webhook', now = Date.now) {
  const { api, requests } = cannedApi(responses);
  const lists = createCachedLists(api, now);
  const event: Event = {
    id: 'e',
    account: 'default',
    type: 'device.enrolled',
    at: '2024-01-01T00:00:00Z',
    receivedAt: '2024-01-01T00:00:00Z',
    source,
    data: { device: { id: 121 } },
  };
  const fetcher = () =>
    createFactFetcher({ event, api, lists, known: new Map(), onFact: () => Promise.resolve() });
  return {
    groups: () => fetcher().fetch('assignment_groups'),
    fetch: (name: string) => fetcher().fetch(name),
    requests,
  };
}

describe('assignment_groups', () => {
  test('the record of the device says which groups are its own, dynamic ones included', async () => {
    const { groups } = setUp({
      '/devices/121': device({ groups: link('group', 1, 3) }),
      '/assignment_groups': GROUPS,
    });
    expect(await groups()).toEqual([
      { id: 1, name: 'Own', type: 'standard', group_type: 'static', via_device_group: false },
      { id: 2, name: 'Through the device group', type: null, group_type: null, via_device_group: true },
      { id: 3, name: 'Dynamic', type: null, group_type: 'dynamic', via_device_group: false },
    ]);
  });

  test('the record counts more than a list that may be a minute old', async () => {
    const { groups } = setUp({
      '/devices/121': device({ groups: link('group') }),
      '/assignment_groups': GROUPS,
    });
    expect(await groups()).toMatchObject([{ id: 2 }]);
  });

  test('without them in the record, the groups say which devices they have', async () => {
    const { groups } = setUp({ '/devices/121': device(), '/assignment_groups': GROUPS });
    expect(await groups()).toMatchObject([
      { id: 1, via_device_group: false },
      { id: 2, via_device_group: true },
    ]);
  });

  test('a sweep over the fleet does not request the list for each device; an event does', async () => {
    const responses = { '/devices/121': device(), '/assignment_groups': GROUPS };
    const count = async (source: Event['source']): Promise<number> => {
      let now = 0;
      const { groups, requests } = setUp(responses, source, () => now);
      await groups();
      now = 5000;
      await groups();
      return requests.filter((path) => path === '/assignment_groups').length;
    };
    expect([await count('schedule'), await count('webhook')]).toEqual([1, 2]);
  });

  test.each([
    ['whose members cannot be read', { id: 5, attributes: {}, relationships: { devices: 'many' } }, null],
    ['without a usable id', { id: 'five', attributes: { name: 'Five' } }, null],
    ['whose apps cannot be read', { id: 5, attributes: {}, relationships: { apps: 'many' } }, undefined],
  ])('a group %s may have the device, each time the list is used', async (_what, odd, gap) => {
    const data = [...GROUPS.data, { type: 'assignment_group', ...odd }];
    const { groups } = setUp({ '/devices/121': device(), '/assignment_groups': { data } }, 'schedule');
    for (let time = 0; time < 2; time += 1) {
      const found = await groups();
      expect(Array.isArray(found) && found[2]).toBe(gap);
    }
  });

  test('a device that has left has none', async () => {
    expect(await setUp({ '/devices/121': 404, '/assignment_groups': GROUPS }).groups()).toBeNull();
  });
});

test('profiles and users: the lists of the device; null for a device that has left', async () => {
  const { fetch } = setUp({
    '/devices/121/profiles': {
      data: [{ type: 'custom_configuration_profile', id: 9, attributes: { name: 'VPN' } }],
    },
    '/devices/121/users': {
      data: [{ type: 'device_user', id: 5, attributes: { username: 'ada', secure_token: true } }],
    },
  });
  expect(await fetch('profiles')).toEqual([{ id: 9, type: 'custom_configuration_profile', name: 'VPN' }]);
  expect(await fetch('users')).toEqual([{ id: 5, username: 'ada', secure_token: true }]);
  const gone = setUp({ '/devices/121/profiles': 404, '/devices/121/users': 404 });
  expect([await gone.fetch('profiles'), await gone.fetch('users')]).toEqual([null, null]);
});
