import { apiRoutes } from '../../console/api-routes.js';
import type { ApiBackend } from '../../console/api-routes.js';
import { approvalRoutes } from '../../console/approval-routes.js';
import { pageRoutes } from '../../console/page-routes.js';
import type { UserProblem } from '../../errors/user-problem.js';
import { healthRoutes } from '../../receiver/health-routes.js';
import { createHttpApp } from '../../receiver/http-app.js';
import { listen } from '../../receiver/listen.js';
import { webhookRoutes } from '../../receiver/webhook-routes.js';
import type { WebhookStore } from '../../receiver/webhook-routes.js';
import type { LiveRules } from '../live-rules.js';
import { readinessOf } from '../readiness.js';
import type { ServiceContext } from './settings.js';

/** The HTTP server, which answers 503 until the phase `ready` fills in what the routes need. */
export interface HttpServer {
  readonly url: string;
  /** Lets the console and the JSON API answer. */
  readonly openApi: (backend: ApiBackend) => void;
  /** Tells `/readyz` why webhooks could not be stored. */
  readonly reportRedis: (problem: () => UserProblem | undefined) => void;
  /** Lets the receiver accept webhooks. */
  readonly openWebhooks: (store: WebhookStore) => void;
}

/**
 * Phase 3: listens before Redis answers, so that webhooks meanwhile get an honest 503 and health checks an answer.
 * Stopped first: the port closes, and open requests are answered.
 *
 * @throws OperatorError when HOST and PORT cannot be listened on.
 */
export async function listenForRequests(
  context: ServiceContext,
  rules: LiveRules | undefined,
): Promise<HttpServer> {
  const { roles, settings, accounts, metrics, logger, redaction, shutdown } = context;
  let backend: ApiBackend | undefined;
  let store: WebhookStore | undefined;
  let redisProblem: () => UserProblem | undefined = () => undefined;
  const readiness = () =>
    readinessOf({
      stopping: shutdown.isStopping(),
      redisProblem: redisProblem(),
      shards: backend?.stores.shards,
      rules: rules && {
        count: rules.current().length,
        problems: rules.problems().length + rules.referenceProblems().length,
      },
      accounts: new Set(accounts.keys()),
    });
  const isReceiver = roles.includes('receiver');
  const webhooks = webhookRoutes({
    accounts,
    store: () => store,
    tokenHeader: settings.WEBHOOK_TOKEN_HEADER,
    redact: redaction.redact,
    metrics,
    logger,
  });
  const receiverRouters = isReceiver
    ? [
        apiRoutes({ adminToken: settings.ADMIN_TOKEN, backend: () => backend }),
        approvalRoutes(() => backend),
        pageRoutes(),
      ]
    : [];
  const app = createHttpApp({
    logger,
    trustProxy: settings.TRUST_PROXY,
    firstRouter: isReceiver ? webhooks : undefined,
    routers: [healthRoutes(readiness, metrics), ...receiverRouters],
  });
  const listener = await listen(app, settings.HOST, settings.PORT);
  shutdown.add('HTTP listener', () => listener.close());
  return {
    url: listener.url,
    openApi: (opened) => (backend = opened),
    reportRedis: (problem) => (redisProblem = problem),
    openWebhooks: (opened) => (store = opened),
  };
}
