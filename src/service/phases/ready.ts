import { openFirstReceipts } from '../../coordination/first-receipt.js';
import { createIntake } from '../../receiver/intake.js';
import type { LiveRules } from '../live-rules.js';
import type { RedisHealth } from '../redis-health.js';
import type { HttpServer } from './http-server.js';
import type { ServiceQueues } from './queues.js';
import type { ServiceContext } from './settings.js';

/** Phase 8: opens the routes for webhooks, console and JSON API, and warns about risky settings. From here on `/readyz` depends on Redis alone. */
export function openRoutes(
  context: ServiceContext,
  server: HttpServer,
  queues: ServiceQueues,
  rules: LiveRules | undefined,
  health: RedisHealth,
): void {
  const { roles, accounts, logger } = context;
  server.openApi(queues);
  if (roles.includes('receiver')) {
    server.openWebhooks({
      intake: createIntake(queues.stores),
      onNotStored: health.suspect,
      firstReceipt: openFirstReceipts(queues.stores.shards),
    });
  }
  warnAboutSettings(context);
  logger.info(
    { url: server.url, roles, rules: rules?.current().length ?? 0, accounts: [...accounts.keys()] },
    'mdm-reflex runs',
  );
}

function warnAboutSettings({ roles, settings, accounts, logger }: ServiceContext): void {
  if (settings.READ_ONLY && roles.includes('worker')) {
    logger.warn(
      { code: 'service/read-only' },
      'READ_ONLY is on: the service decides and traces everything, and sends nothing',
    );
  }
  if (!roles.includes('receiver')) return;
  if ([...accounts.values()].some((account) => account.webhookTokens.length === 0)) {
    logger.warn(
      { code: 'service/open-webhooks' },
      'WEBHOOK_TOKEN is not set: anybody who reaches this port can post webhooks',
    );
  }
  if (settings.ADMIN_TOKEN === undefined) {
    logger.warn(
      { code: 'service/open-console' },
      'ADMIN_TOKEN is not set: anybody who reaches this port can read and replay events and release held rules',
    );
  }
}
