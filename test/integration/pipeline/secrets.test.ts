import { describe, expect, test } from '@jest/globals';
import { everythingIn } from '../../support/redis.js';
import { ADMIN_TOKEN, API_KEY, WEBHOOK_TOKEN } from '../../support/world.js';
import { until } from '../../support/until.js';
import { useWorld } from '../../support/use-world.js';

const world = useWorld();

const RULES = `
rules:
  - id: everything
    on: device.lock.enabled
    if: device != null && apps.size() > 0 && attributes.department != "x" && group != null
    do:
      - log: { message: "{{ device | json }} {{ attributes | json }} \${env:SECRET_OF_A_RULE}" }
      - send_invitation: { enrollment: 6, contact: "\${env:SECRET_OF_A_RULE}@example.org" }
`;
const SECRET_OF_A_RULE = 'rule-secret-4711';

describe('secrets', () => {
  test('of devices, of the service and of rules are in no log, trace, queue, metric or response', async () => {
    await world.start({ rules: RULES, env: { SECRET_OF_A_RULE, LOG_LEVEL: 'trace' } });
    const before = JSON.stringify(world.simulator.device(54));
    const deviceSecrets = [/"filevault_recovery_key":"([^"]+)"/, /"recovery_lock_password":"([^"]+)"/].map(
      (pattern) => pattern.exec(before)?.[1] ?? 'the simulator has lost its secrets',
    );
    expect(deviceSecrets).not.toContain('the simulator has lost its secrets');
    const values = await fetch(`${world.simulator.url}/devices/54/custom_attribute_values`, {
      headers: { authorization: `Basic ${Buffer.from(`${API_KEY}:`).toString('base64')}` },
    });
    const attribute = /"id":"local_admin_password"[^}]*"value":"([^"]+)"/.exec(await values.text())?.[1];
    expect(attribute).toBeDefined();

    world.simulator.lock(54);
    const trace = await world.settled('device.lock.enabled');
    expect(trace.status).toBe('completed');
    // The action received the real value.
    expect(world.simulator.invitations()[0]?.contact).toBe(`${SECRET_OF_A_RULE}@example.org`);
    // Failures are the most likely place for a leak.
    world.simulator.addFault({ kind: 'status', status: 401, times: 1 });
    world.simulator.lock(54);
    await until('the refused key is logged', () => world.log().includes('refuses the API key'));
    await fetch(`${world.service.url}/webhooks/simplemdm/${WEBHOOK_TOKEN}x`, {
      method: 'POST',
      body: '{}',
    });
    await fetch(`${world.service.url}/webhooks/simplemdm/${WEBHOOK_TOKEN}`, { method: 'POST', body: 'x' });

    const auth = { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } };
    const places = {
      redis: await everythingIn(world.client),
      log: world.log(),
      trace: await (await fetch(`${world.service.url}/api/events/${trace.id}`, auth)).text(),
      list: await (await fetch(`${world.service.url}/api/events`, auth)).text(),
      metrics: await (await fetch(`${world.service.url}/metrics`)).text(),
      readyz: await (await fetch(`${world.service.url}/readyz`)).text(),
    };
    expect(places.redis).toContain('everything');
    expect(places.log).toContain('[redacted]');
    const basic = Buffer.from(`${API_KEY}:`).toString('base64');
    for (const secret of [
      ...deviceSecrets,
      attribute ?? '',
      API_KEY,
      basic,
      WEBHOOK_TOKEN,
      ADMIN_TOKEN,
      SECRET_OF_A_RULE,
    ]) {
      for (const [place, text] of Object.entries(places)) {
        expect({ place, secret, found: text.includes(secret) }).toEqual({ place, secret, found: false });
      }
    }
  });
});
