/** The receiver of mdm-reflex, unchanged, in its own process. */
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
