import { describe, expect, test } from '@jest/globals';
import { receiverForTest, simulatorForTest } from './running-simulator.js';

async function withReceiver(token?: string) {
  const receiver = await receiverForTest();
  const webhook = { url: receiver.url, ...(token !== undefined && { token }) };
  return { receiver, ...(await simulatorForTest({ webhook })) };
}

describe('webhooks', () => {
  test('each type in order, in the documented envelope', async () => {
    const { simulator, receiver, clock } = await withReceiver('hush');
    const { id, udid, serialNumber } = simulator.enroll({ kind: 'macbook' });
    clock.advance(1234);
    simulator.lock(id);
    simulator.addToBusinessManager({ serialNumber: 'NEW123', model: 'iPad' });
    simulator.sendTestEvent();
    simulator.unenroll(id);
    await simulator.webhooksSettled();

    const device = { id, udid, serial_number: serialNumber };
    expect(receiver.received.map(({ type, at, data }) => ({ type, at, data }))).toEqual([
      { type: 'device.enrolled', at: '2024-07-01T05:00:00.000-07:00', data: { device } },
      { type: 'device.lock.enabled', at: '2024-07-01T05:00:01.234-07:00', data: { device } },
      {
        type: 'abm.device.added',
        at: '2024-07-01T05:00:01.234-07:00',
        data: { device: { serial_number: 'NEW123', model: 'iPad' } },
      },
      { type: 'test_event', at: '2024-07-01T05:00:01.234-07:00', data: {} },
      { type: 'device.unenrolled', at: '2024-07-01T05:00:01.234-07:00', data: { device } },
    ]);
    expect(receiver.received[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'x-webhook-token': 'hush',
    });
    expect(simulator.webhookDeliveries()).toMatchObject(
      [1, 2, 3, 4, 5].map(() => ({ status: 202, attempts: 1 })),
    );
    expect(simulator.device(id)).toBeUndefined();
  });

  test('equal changes in one millisecond are webhooks with different times', async () => {
    const { simulator, receiver, clock } = await withReceiver();
    for (let count = 0; count < 3; count += 1) simulator.sendTestEvent();
    clock.advance(1);
    simulator.sendTestEvent();
    await simulator.webhooksSettled();
    expect(receiver.received.map(({ at }) => at.slice(11, 23))).toEqual([
      '05:00:00.000',
      '05:00:00.001',
      '05:00:00.002',
      '05:00:00.003',
    ]);
  });

  test('a device can enroll and unenroll without a webhook', async () => {
    const { simulator, receiver } = await withReceiver();
    const { id } = simulator.enroll({ kind: 'ipad', webhook: false });
    simulator.unenroll(id, { webhook: false });
    await simulator.webhooksSettled();
    expect(receiver.received).toEqual([]);
  });

  test('a refused or undeliverable webhook is recorded and not sent again', async () => {
    const { simulator, receiver } = await withReceiver();
    receiver.respondWith(503);
    simulator.sendTestEvent();
    await simulator.webhooksSettled();
    await receiver.close();
    simulator.sendTestEvent();
    await simulator.webhooksSettled();
    simulator.setWebhook(undefined);
    simulator.sendTestEvent();
    expect(receiver.received).toHaveLength(1);
    expect(simulator.webhookDeliveries()).toMatchObject([
      { type: 'test_event', status: 503, attempts: 1 },
      { status: undefined, attempts: 1, error: expect.stringContaining('ECONNREFUSED') },
      { status: undefined, attempts: 0, error: 'no webhook URL is set' },
    ]);
  });

  test('sends credentials in the URL as Basic authorization', async () => {
    const { simulator, receiver } = await withReceiver();
    simulator.setWebhook({ url: receiver.url.replace('http://', 'http://hook:p%40ss@') });
    simulator.sendTestEvent();
    await simulator.webhooksSettled();
    const credentials = Buffer.from('hook:p@ss').toString('base64');
    expect(receiver.received[0]?.headers.authorization).toBe(`Basic ${credentials}`);
  });

  test('sends the token in another header', async () => {
    const { simulator, receiver } = await withReceiver();
    simulator.setWebhook({ url: receiver.url, token: 'hush', tokenHeader: 'X-SimpleMDM-Webhook-Secret' });
    simulator.sendTestEvent();
    await simulator.webhooksSettled();
    expect(receiver.received[0]?.headers).toMatchObject({ 'x-simplemdm-webhook-secret': 'hush' });
  });

  test('sends the last webhooks again: twice, reversed, later', async () => {
    const { simulator, receiver, clock } = await withReceiver();
    simulator.sendTestEvent();
    simulator.lock(121);
    simulator.resendWebhooks({ last: 2, reversed: true, delayMs: 0 });
    await simulator.webhooksSettled();
    const types = receiver.received.map(({ type }) => type);
    expect(types).toEqual(['test_event', 'device.lock.enabled', 'device.lock.enabled', 'test_event']);
    expect(receiver.received[2]).toMatchObject({
      at: receiver.received[1]?.at,
      data: receiver.received[1]?.data,
    });

    simulator.resendWebhooks({ last: 1, reversed: false, delayMs: 60_000 });
    await simulator.webhooksSettled();
    expect(receiver.received).toHaveLength(4);
    clock.advance(60_000);
    await simulator.webhooksSettled();
    expect(receiver.received).toHaveLength(5);
  });

  test('closing aborts a request in progress', async () => {
    const { simulator } = await simulatorForTest();
    const other = await simulatorForTest();
    other.simulator.addFault({ kind: 'hang' });
    simulator.setWebhook({ url: `${other.url}/anything` });
    simulator.sendTestEvent();
    simulator.sendTestEvent();
    await simulator.close();
    expect(simulator.webhookDeliveries()).toMatchObject([{ status: undefined }, { status: undefined }]);
  });
});
