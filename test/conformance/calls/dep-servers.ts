import { expect } from '@jest/globals';
import { all, first } from './call-test.js';
import type { CallTest } from './call-test.js';

const nowhere = 999_999;

export const depServers: readonly CallTest[] = [
  {
    call: 'GET /dep_servers',
    client: 'depServers.list',
    shows: 'all servers with the expiry of their tokens',
    run: async ({ api }) => {
      const servers = await all(api.depServers.list());
      expect(servers.map(({ id }) => id)).toEqual([1, 2]);
      expect(Date.parse(first(servers).attributes.token_expires_at ?? '')).toBeGreaterThan(0);
      expect((await api.depServers.listPage({ limit: 1 })).hasMore).toBe(true);
    },
  },
  {
    call: 'GET /dep_servers/{DEP_SERVER_ID}',
    client: 'depServers.retrieve',
    shows: 'one server',
    run: async ({ api }) => {
      expect((await api.depServers.retrieve(2)).attributes.organization_name).toBe('Acme Corp');
    },
    refuses: [{ when: 'it does not exist', status: 404, run: ({ api }) => api.depServers.retrieve(nowhere) }],
  },
  {
    call: 'POST /dep_servers/{DEP_SERVER_ID}/sync',
    client: 'depServers.sync',
    shows: 'updates the time of the last synchronization; asynchronous',
    run: async ({ api, later }) => {
      const before = (await api.depServers.retrieve(1)).attributes.last_synced_at;
      expect(await api.depServers.sync(1)).toBe(202);
      expect((await api.depServers.retrieve(1)).attributes.last_synced_at).toBe(before);
      later();
      expect((await api.depServers.retrieve(1)).attributes.last_synced_at).not.toBe(before);
    },
    refuses: [{ when: 'it does not exist', status: 404, run: ({ api }) => api.depServers.sync(nowhere) }],
  },
  {
    call: 'GET /dep_servers/{DEP_SERVER_ID}/dep_devices',
    client: 'depServers.listDepDevices',
    shows: 'the hardware of a server, including new hardware, with its enrolled device',
    run: async ({ api, simulator }) => {
      const { serialNumber } = simulator.addToBusinessManager({ depServerId: 1 });
      const devices = await all(api.depServers.listDepDevices(1));
      expect(devices.map(({ attributes }) => attributes.serial_number)).toContain(serialNumber);
      const enrolled = devices.find(({ attributes }) => attributes.serial_number === 'C02XK1ZMJGH5');
      expect(enrolled?.relationships?.device?.data?.id).toBe(54);
      expect((await api.depServers.listDepDevicesPage(1, { limit: 1 })).hasMore).toBe(true);
    },
    refuses: [
      {
        when: 'it does not exist',
        status: 404,
        run: ({ api }) => all(api.depServers.listDepDevices(nowhere)),
      },
    ],
  },
  {
    call: 'GET /dep_servers/{DEP_SERVER_ID}/dep_devices/{DEP_DEVICE_ID}',
    client: 'depServers.retrieveDepDevice',
    shows: 'one piece of hardware',
    run: async ({ api }) => {
      expect((await api.depServers.retrieveDepDevice(2, 23)).attributes.serial_number).toBe('F4KXQ7M2TNLP');
    },
    refuses: [
      {
        when: 'it belongs to another server',
        status: 404,
        run: ({ api }) => api.depServers.retrieveDepDevice(1, 23),
      },
    ],
  },
];
