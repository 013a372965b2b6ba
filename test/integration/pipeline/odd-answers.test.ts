import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { expect, test } from '@jest/globals';
import { formatTrace } from '../../../src/cli/format-trace.js';
import { until } from '../../support/until.js';
import { useWorld } from '../../support/use-world.js';

const { start } = useWorld();

const HTML = '<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1>nginx</body></html>';

interface Answer {
  readonly status?: number;
  readonly type?: string;
  readonly body: unknown;
}

/** A server in place of SimpleMDM whose answers the test sets. */
async function startApi(): Promise<{
  url: string;
  answers: Map<string, Answer>;
  close: () => Promise<void>;
}> {
  const answers = new Map<string, Answer>([
    ['/account', { body: { data: { type: 'account', attributes: { name: 'Test' } } } }],
  ]);
  const server: Server = createServer((request, response) => {
    request.resume();
    const { pathname } = new URL(request.url ?? '', 'http://localhost');
    const {
      status = 200,
      type = 'application/json',
      body,
    } = answers.get(pathname) ?? {
      status: 404,
      body: { errors: [{ title: 'object not found' }] },
    };
    response.writeHead(status, { 'content-type': type });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    answers,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const plain = (_style: unknown, text: string): string => text;

test('a proxy page is no deleted device; odd fields, several records and unknown models are shown', async () => {
  const api = await startApi();
  const world = await start({
    rules: `
rules:
  - { id: gone, on: 'device.*', if: device == null, do: [log: the device is gone] }
  - { id: encrypted, on: device.enrolled, if: device.filevault_enabled, do: [log: encrypted] }
  - { id: known, on: abm.device.added, if: device.status == "enrolled", do: [log: known] }
`,
    // The test reads the trace between two attempts.
    env: { SIMPLEMDM_BASE_URL: api.url, RETRY_BASE_MS: '1000', RETRY_MAX_MS: '1000' },
  });
  world.beforeStop(api.close);
  const device = (id: number, attributes: object) => ({ type: 'device', id, attributes });

  // The proxy's 404: the event waits, and the reason says who answered.
  api.answers.set('/devices/121', { status: 404, type: 'text/html', body: HTML });
  await world.post({ type: 'device.enrolled', data: { device: { id: 121 } } });
  const waiting = await until('the trace of an event that waits', async () => {
    const trace = await world.settled('device.enrolled', ['waiting']);
    // The next attempt may have started since.
    return trace.processing?.state === 'waiting' && trace.decisions.length > 0 ? trace : undefined;
  });
  expect(waiting.processing?.reason).toContain('not from SimpleMDM');
  // After five failed calls the circuit breaker speaks, and quotes the last one.
  expect(waiting.facts['device']).toMatchObject({
    status: 'failed',
    error: expect.stringContaining('not from SimpleMDM'),
  });
  expect(waiting.decisions.map(({ verdict }) => verdict)).toEqual(['waiting', 'waiting']);

  // The proxy is gone, and the record has odd fields.
  const odd = {
    serial_number: 'C02XK1ZMJGH5',
    product_name: 'iGlasses1,1',
    imei: 355_555_555_555_555,
    battery_level: 0.87,
    device_capacity: 'hidden-value',
    filevault_enabled: 'true',
  };
  api.answers.set('/devices/121', { body: { data: device(121, odd) } });
  const done = await world.settled('device.enrolled', ['completed']);
  expect(done.rules).toEqual(['encrypted']);
  expect(done.facts['device']).toMatchObject({
    value: { imei: '355555555555555', battery_level: '0.87', device_capacity: null, platform: 'unknown' },
    warnings: [
      'platform: this version does not know the model iGlasses1,1; device.platform is "unknown"',
      'devices 121: device_capacity should be a number and is text: treated as unknown',
    ],
  });
  const shown = formatTrace(done, plain);
  expect(shown).toMatch(/warning\s+devices 121: device_capacity should be a number and is text/);
  expect(JSON.stringify(done)).not.toContain('hidden-value');
  const series = 'mdm_reflex_api_unreadable_fields_total{resource="devices",field="device_capacity"}';
  expect(await world.metric(series)).toBeGreaterThanOrEqual(1);

  // A second record with the same fault is counted, and not logged again.
  const before = await world.metric(series);
  api.answers.set('/devices', {
    body: {
      data: [
        device(120, { ...odd, status: 'unenrolled', enrolled_at: '2026-03-01T00:00:00.000Z' }),
        device(121, { ...odd, status: 'enrolled', enrolled_at: '2026-01-01T00:00:00.000Z' }),
        device(122, { ...odd, status: 'enrolled', enrolled_at: '2026-02-01T00:00:00.000Z' }),
        device(123, { ...odd, serial_number: 'C02XK1ZMJGH5X', status: 'enrolled' }),
      ],
      has_more: false,
    },
  });
  await world.post({ type: 'abm.device.added', data: { device: { serial_number: 'C02XK1ZMJGH5' } } });
  const added = await world.settled('abm.device.added', ['completed']);
  expect(added.facts['device']).toMatchObject({ value: { id: 122 } });
  expect(added.facts['device']?.warnings).toContain(
    '3 device records have this serial number: 122 (enrolled) is used, not 121 (enrolled), 120 (unenrolled)',
  );
  expect(await world.metric(series)).toBe(before + 4);
  const logged = world
    .log()
    .split('\n')
    .filter((line) => line.includes('"api/unreadable-field"'));
  expect(logged).toHaveLength(1);
  expect(logged[0]).toContain('"field":"device_capacity"');
  expect(world.log()).not.toContain('hidden-value');
});

test('a sweep whose list does not end is completed once, and says so', async () => {
  const api = await startApi();
  api.answers.set('/devices', {
    body: {
      data: [{ id: 1, attributes: { serial_number: 'A' } }, { attributes: { name: 'no id' } }, 'no record'],
      has_more: true,
    },
  });
  const world = await start({
    rules: `
rules:
  - { id: weekly, on: { schedule: '* * * * * *', for_each: devices }, if: device.serial_number == "A", do: [log: seen] }
`,
    env: { SIMPLEMDM_BASE_URL: api.url },
  });
  world.beforeStop(api.close);
  const sweep = await until('a sweep has ended', async () => {
    const fields = await world.client.hgetall('mdm-reflex:last-sweeps:weekly');
    return fields['default'];
  });
  expect(JSON.parse(sweep)).toMatchObject({
    evaluated: 1,
    emitted: 1,
    incomplete: expect.stringContaining('only records of earlier pages'),
  });
  await until('the sweep is logged', () => world.log().includes('"schedule/sweep-incomplete"'));
  expect(
    await world.metric('mdm_reflex_api_incomplete_lists_total{resource="devices"}'),
  ).toBeGreaterThanOrEqual(1);
  expect(
    await world.metric('mdm_reflex_api_unreadable_fields_total{resource="devices",field="id"}'),
  ).toBeGreaterThanOrEqual(2);
  expect((await world.settled('schedule.weekly', ['completed'])).runs).toHaveLength(1);
});
