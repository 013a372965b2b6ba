import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Simulator } from '../../../simulator/start.js';
import { call, json } from './api-client.js';
import { simulatorForTest } from './running-simulator.js';

const page = z.looseObject({
  data: z.array(z.looseObject({ id: z.number(), attributes: z.looseObject({}) })),
  has_more: z.boolean(),
});

const fleet = { devices: 4000, seed: 7 };

async function pageOf(url: string, query: string) {
  return page.parse((await call(url, `/devices?${query}`)).body);
}

/** Every device id, page by page. */
async function allIds(url: string, direction: 'asc' | 'desc'): Promise<number[]> {
  const ids: number[] = [];
  for (let more = true, after = ''; more;) {
    const { data, has_more } = await pageOf(url, `limit=100&direction=${direction}${after}`);
    ids.push(...data.map(({ id }) => id));
    more = has_more;
    after = `&starting_after=${ids.at(-1) ?? 0}`;
  }
  return ids;
}

function record(simulator: Simulator, id: number) {
  const found = simulator.device(id);
  if (found === undefined) throw new Error(`there is no device ${id}`);
  return found;
}

describe('a generated fleet', () => {
  test('is the same for the same seed, in any order of access, and differs for another seed', async () => {
    const [one, two, three] = [
      await simulatorForTest({ fleet }),
      await simulatorForTest({ fleet }),
      await simulatorForTest({ fleet: { ...fleet, seed: 8 } }),
    ];
    const ids = [10_000, 11_321, 13_999];
    const there = ids.map((id) => record(one.simulator, id));
    const back = ids.toReversed().map((id) => record(two.simulator, id));
    expect(back.toReversed()).toEqual(there);
    expect(ids.map((id) => record(three.simulator, id))).not.toEqual(there);
    const apps = async (url: string) => (await call(url, '/devices/11321/installed_apps?limit=100')).body;
    expect(await apps(one.url)).toEqual(await apps(two.url));
  });

  test('lists each device once, ascending and descending', async () => {
    const { url } = await simulatorForTest({ fleet });
    const up = await allIds(url, 'asc');
    expect(up).toHaveLength(4005);
    expect(up.slice(0, 6)).toEqual([54, 56, 98, 117, 121, 10_000]);
    expect(new Set(up).size).toBe(up.length);
    expect(await allIds(url, 'desc')).toEqual(up.toReversed());
  });

  test('has all platforms, old OS versions, full disks and devices not seen for weeks', async () => {
    const { simulator, clock } = await simulatorForTest({ fleet: { devices: 2000, seed: 3 } });
    const devices = Array.from({ length: 2000 }, (_, index) => record(simulator, 10_000 + index).attributes);
    const share = (is: (device: (typeof devices)[number]) => boolean) =>
      devices.filter(is).length / devices.length;
    expect(new Set(devices.map(({ product_name }) => product_name?.replace(/[\d,]+$/, '')))).toEqual(
      new Set(['Mac', 'MacBookAir', 'MacBookPro', 'Macmini', 'iMac', 'iPhone', 'iPad', 'AppleTV']),
    );
    const now = clock.now().getTime();
    const days = ({ last_seen_at }: (typeof devices)[number]) =>
      (now - Date.parse(last_seen_at ?? '')) / 86_400_000;
    expect(share((device) => days(device) <= 1)).toBeGreaterThan(0.75);
    expect(share((device) => days(device) > 14)).toBeGreaterThan(0.02);
    expect(share((device) => days(device) < 0)).toBe(0);
    expect(share(({ filevault_enabled }) => filevault_enabled === true)).toBeGreaterThan(0.2);
    expect(share((device) => (device.available_device_capacity ?? 0) < (device.device_capacity ?? 0))).toBe(
      1,
    );
    expect(new Set(devices.map(({ serial_number }) => serial_number)).size).toBe(2000);
    expect(new Set(devices.map(({ unique_identifier }) => unique_identifier)).size).toBe(2000);
    expect(devices.every(({ serial_number }) => /^[0-9A-HJ-NP-Z]{12}$/.test(serial_number ?? ''))).toBe(true);
    const cellular = devices.filter(({ product_name }) => /^iPhone|^iPad14,4/.test(product_name ?? ''));
    expect(cellular.length).toBeGreaterThan(100);
    expect(devices.filter(({ imei }) => imei !== null)).toEqual(cellular);
    for (const { imei } of devices) if (imei !== null) expect(luhn(imei.replaceAll(' ', ''))).toBe(true);
  });

  test('can be searched by serial number and by name', async () => {
    const { simulator, url } = await simulatorForTest({ fleet });
    const { attributes } = record(simulator, 12_345);
    const found = await pageOf(url, `search=${attributes.serial_number ?? ''}`);
    expect(found.data.map(({ id }) => id)).toEqual([12_345]);
    const named = await pageOf(url, `search=${encodeURIComponent(attributes.name ?? '')}`);
    expect(named.data.map(({ id }) => id)).toContain(12_345);
  });

  test('keeps changes: moved, renamed and deleted devices, removed apps', async () => {
    const { simulator, clock, url } = await simulatorForTest({ fleet });
    await call(url, '/devices/13000', json('PATCH', { name: 'Renamed' }));
    await call(url, '/device_groups/41/devices/13001', { method: 'POST' });
    await call(url, '/devices/13002', { method: 'DELETE' });
    const apps = z
      .looseObject({
        data: z.array(z.looseObject({ id: z.number(), attributes: z.looseObject({ managed: z.boolean() }) })),
      })
      .parse((await call(url, '/devices/13003/installed_apps?limit=100')).body);
    const managed = apps.data.find(({ attributes }) => attributes.managed);
    expect((await call(url, `/installed_apps/${managed?.id ?? 0}`, { method: 'DELETE' })).status).toBe(202);
    clock.advance(60_000);
    expect(record(simulator, 13_000).attributes.name).toBe('Renamed');
    expect(record(simulator, 13_001).relationships.device_group.data.id).toBe(41);
    expect(simulator.device(13_002)).toBeUndefined();
    expect((await call(url, `/installed_apps/${managed?.id ?? 0}`)).status).toBe(404);
    const around = await pageOf(url, 'limit=4&starting_after=12999');
    expect(around.data.map(({ id }) => id)).toEqual([13_000, 13_001, 13_003, 13_004]);
    const newcomer = simulator.enroll({ kind: 'ipad' });
    expect((await pageOf(url, 'limit=1&direction=desc')).data.map(({ id }) => id)).toEqual([newcomer.id]);
  });

  test('has enough licenses, and their number follows the fleet', async () => {
    const { simulator, url } = await simulatorForTest({ fleet });
    const left = async () =>
      z
        .object({
          data: z.looseObject({
            attributes: z.looseObject({
              subscription: z.object({ licenses: z.object({ available: z.number() }) }),
            }),
          }),
        })
        .parse((await call(url, '/account')).body).data.attributes.subscription.licenses.available;
    const before = await left();
    simulator.unenroll(12_000);
    expect(await left()).toBe(before + 1);
    simulator.enroll({ kind: 'iphone' });
    expect(await left()).toBe(before);
  });
});

/** Whether the check digit is valid (ISO/IEC 7812-1, annex B). */
function luhn(digits: string): boolean {
  const sum = Array.from(digits, Number)
    .toReversed()
    .reduce((total, digit, index) => {
      const weighted = index % 2 === 0 ? digit : digit * 2;
      return total + (weighted > 9 ? weighted - 9 : weighted);
    }, 0);
  return sum % 10 === 0;
}
