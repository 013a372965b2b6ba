import { describe, expect, test } from '@jest/globals';
import { call, idsOf, listOf } from './api-client.js';
import { simulatorForTest } from './running-simulator.js';

/** Reads all pages of a list. */
async function allPages(url: string, path: string, limit: number) {
  const pages: (number | string)[][] = [];
  for (let cursor: string | number = 0, more = true; more;) {
    const reply = await call(url, `${path}?limit=${limit}&starting_after=${cursor}`);
    pages.push(idsOf(reply));
    cursor = pages.at(-1)?.at(-1) ?? '';
    more = listOf(reply).has_more ?? false;
  }
  return pages;
}

describe('paging', () => {
  test('ten records per page by default', async () => {
    const { url } = await simulatorForTest();
    const reply = await call(url, '/devices/54/installed_apps');
    expect(listOf(reply).data).toHaveLength(10);
    expect(listOf(reply).has_more).toBe(true);
  });

  test('lists every app of the MacBook once, ascending, over pages of 100', async () => {
    const { url } = await simulatorForTest();
    const pages = await allPages(url, '/devices/54/installed_apps', 100);
    const ids = pages.flat();
    expect(pages.map((page) => page.length)).toEqual([100, ids.length - 100]);
    expect(ids.length).toBeGreaterThan(125);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual([...ids].sort((a, b) => Number(a) - Number(b)));
    expect(Number(ids[0])).toBeGreaterThan(2 ** 32);
  });

  test('pages logs by their hexadecimal ids, newer entries last', async () => {
    const { url, simulator } = await simulatorForTest();
    const before = (await allPages(url, '/logs', 1)).flat();
    expect(before).toEqual(['964595dfd5be464a82cbb9019f55d82b', 'abcde123456']);
    simulator.enroll({ kind: 'ipad' });
    simulator.lock(121);
    const after = await call(url, '/logs?starting_after=abcde123456');
    expect(listOf(after).data.map(({ attributes }) => attributes['event_type'])).toEqual([
      'device.enrolled',
      'device.lock.enabled',
    ]);
    expect(new Set((await allPages(url, '/logs', 1)).flat()).size).toBe(4);
  });

  test('pages custom attributes by their names', async () => {
    const { url } = await simulatorForTest();
    expect((await allPages(url, '/custom_attributes', 2)).flat()).toEqual([
      'department',
      'email_address',
      'full_name',
      'local_admin_password',
    ]);
  });

  test('accepts a cursor without a record; the last page has has_more false', async () => {
    const { url } = await simulatorForTest();
    const reply = await call(url, '/device_groups?starting_after=39');
    expect(reply).toMatchObject({ status: 200, body: { has_more: false } });
    expect(idsOf(reply)).toEqual([41]);
    expect(idsOf(await call(url, '/device_groups?starting_after=9999'))).toEqual([]);
  });

  test('lists in descending order', async () => {
    const { url } = await simulatorForTest();
    expect(idsOf(await call(url, '/device_groups?direction=desc&limit=2'))).toEqual([41, 38]);
    expect(idsOf(await call(url, '/device_groups?direction=desc&starting_after=38'))).toEqual([37, 1]);
  });

  test('a limit above 100 counts as 100', async () => {
    const { url } = await simulatorForTest();
    const reply = await call(url, '/devices/54/installed_apps?limit=300');
    expect(listOf(reply)).toMatchObject({ has_more: true });
    expect(listOf(reply).data).toHaveLength(100);
  });

  test.each(['limit=0', 'limit=many', 'limit=-1', 'starting_after=x', 'direction=up'])(
    '%s is a 422',
    async (query) => {
      const { url } = await simulatorForTest();
      expect((await call(url, `/devices?${query}`)).status).toBe(422);
    },
  );

  test('ignores a limit on a single record', async () => {
    const { url } = await simulatorForTest();
    expect((await call(url, '/devices/121?limit=300')).status).toBe(200);
  });
});
