/** The receiver of mdm-reflex as it is shipped, in a process of its own. */
import { startService } from '../../src/main.js';

const service = await startService({
  env: { ...process.env, PORT: '0' },
  roles: ['receiver'],
});
for (;;) {
  const readyz = await fetch(`${service.url}/readyz`);
  if (readyz.ok) break;
}
process.send?.(`${service.url}/webhooks/simplemdm/${process.env['WEBHOOK_TOKEN'] ?? ''}`);
