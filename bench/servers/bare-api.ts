/**
 * The calls of the SimpleMDM API that the benches cause, answered at once by a bare `node:http` server: the service is measured, not
 * the simulator. `API_DELAY_MS` delays each answer, `API_WRITE_DELAY_MS` those to writes. Each call is reported to the parent process with the time of its arrival in
 * nanoseconds of the monotonic clock, which all processes of a machine share.
 */
import { createServer } from 'node:http';
import { hrtime } from 'node:process';

const readDelayMs = Number(process.env['API_DELAY_MS'] ?? 0);
const writeDelayMs = Number(process.env['API_WRITE_DELAY_MS'] ?? readDelayMs);
const reportsCalls = process.env['REPORT_CALLS'] === '1';
let posts = 0;
let reads = 0;

/** The attributes of a small device record. */
const attributesOf = (id: number): object => ({
  name: `Mac ${id}`,
  device_name: `Mac-${id}`,
  status: 'enrolled',
  serial_number: `C02${id}`,
  unique_identifier: '99919788-340F-40C3-A3F0-E54421B7A6FD',
  enrolled_at: '2026-01-01T12:00:00.000-07:00',
  last_seen_at: '2026-01-01T12:00:00.000-07:00',
  model_name: 'MacBook Pro',
  model: 'MacBookPro18,3',
  product_name: 'MacBookPro18,3',
  os_version: '15.1',
  build_version: '24B83',
  is_supervised: true,
  is_dep_enrollment: true,
  device_capacity: 512.0,
  available_device_capacity: 401.5,
  filevault_enabled: true,
});

const deviceRecord = (id: number): object => ({
  type: 'device',
  id,
  attributes: attributesOf(id),
  relationships: { device_group: { data: { type: 'device_group', id: 41 } }, groups: { data: [] } },
});

const DEVICE = /^\/devices\/(\d+)$/;

function answerOf(method: string, url: URL): { status: number; body?: object } {
  const path = url.pathname.replace(/^\/api\/v1/, '');
  if (path === '/counts') return { status: 200, body: { posts, reads } };
  if (method !== 'GET') {
    posts += 1;
    return { status: 202 };
  }
  const id = DEVICE.exec(path)?.[1];
  if (id !== undefined) {
    reads += 1;
    return { status: 200, body: { data: deviceRecord(Number(id)) } };
  }
  if (path === '/devices') {
    reads += 1;
    const first = Number(url.searchParams.get('starting_after') ?? 0) + 1;
    const count = Number(url.searchParams.get('limit') ?? 10);
    const data = Array.from({ length: count }, (_unused, index) => deviceRecord(first + index));
    return { status: 200, body: { data, has_more: true } };
  }
  if (path === '/account') {
    const attributes = { name: 'Bench', apple_store_country_code: 'US' };
    return { status: 200, body: { data: { type: 'account', attributes } } };
  }
  if (path === '/device_groups') {
    const data = [{ type: 'device_group', id: 41, attributes: { name: 'Laptops' } }];
    return { status: 200, body: { data, has_more: false } };
  }
  return { status: 200, body: { data: [], has_more: false } };
}

const server = createServer((request, response) => {
  const arrivedAt = hrtime.bigint();
  const method = request.method ?? '';
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  request.resume().once('end', () => {
    if (reportsCalls) process.send?.({ method, path: url.pathname, arrivedAt: String(arrivedAt) });
    const { status, body } = answerOf(method, url);
    const send = (): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body === undefined ? undefined : JSON.stringify(body));
    };
    const delayMs = method === 'GET' ? readDelayMs : writeDelayMs;
    if (delayMs === 0 || url.pathname === '/counts') send();
    else setTimeout(send, delayMs);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`);
});
