import { Router } from 'express';
import type { Request, RequestHandler } from 'express';
import { rateLimit } from 'express-rate-limit';
import type { Account } from '../config/accounts.js';
import { DEFAULT_ACCOUNT } from '../config/accounts.js';
import { webhookEnvelope } from '../events/envelope.js';
import type { Event, Webhook } from '../events/envelope.js';
import { fingerprint } from '../events/fingerprint.js';
import { KNOWN_TYPES, problemInData } from '../events/webhook-types.js';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';
import type { Metrics } from '../telemetry/metrics.js';
import { isValidToken, tokenFromHeaders } from './authenticate.js';
import type { Intake } from './intake.js';
import { jsonBody } from './json-body.js';
import { HttpProblem, serviceUnavailable } from './http-problem.js';

/** What the webhook routes need. */
export interface WebhookRoutesOptions {
  readonly accounts: ReadonlyMap<string, Account>;
  /** Undefined while the service starts or stops. Then webhooks get 503. */
  readonly intake: () => Intake | undefined;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly now?: () => Date;
}

/** How many wrong tokens one address may send per minute before it gets 429. */
const WRONG_TOKENS_PER_MINUTE = 20;

const METHOD_HINT = 'this address receives webhooks by POST only: enter it in SimpleMDM (Settings, Webhooks)';

/** `POST /webhooks/simplemdm…`: authenticates before reading the body, validates, and sends 202 only when Redis has the event. */
export function webhookRoutes(options: WebhookRoutesOptions): Router {
  const { metrics } = options;
  const router = Router({ caseSensitive: true });
  const count: RequestHandler = (request, response, next) => {
    response.once('finish', () =>
      metrics.webhooks.inc({ type: typeLabel(request.body), status: String(response.statusCode) }),
    );
    next();
  };
  const paths = ['/webhooks/simplemdm', '/webhooks/simplemdm/:first', '/webhooks/simplemdm/:first/:second'];
  router.post(paths, count, authenticate(options), jsonBody, acceptWebhook(options));
  router.all(paths, (_request, response, next) => {
    response.setHeader('Allow', 'POST');
    next(new HttpProblem(405, 'webhook/method-not-allowed', METHOD_HINT));
  });
  return router;
}

/** The type as a metric label. Unknown types share one label, because a sender could invent any number of them. */
function typeLabel(body: unknown): string {
  const type = typeof body === 'object' && body !== null && 'type' in body ? body.type : undefined;
  if (typeof type !== 'string') return 'none';
  return KNOWN_TYPES.includes(type) ? type : 'other';
}

/** The account and the token of a request. A single path segment is the token, unless a header carries the token. */
function credentialsOf(
  request: Request,
  accounts: ReadonlyMap<string, Account>,
): { account: string; token: string | undefined } {
  const { first, second } = request.params;
  const headerToken = tokenFromHeaders({
    webhookToken: request.get('X-Webhook-Token'),
    authorization: request.get('Authorization'),
  });
  if (typeof second === 'string') return { account: String(first), token: second };
  if (typeof first !== 'string') return { account: DEFAULT_ACCOUNT, token: headerToken };
  return headerToken !== undefined && accounts.has(first)
    ? { account: first, token: headerToken }
    : { account: DEFAULT_ACCOUNT, token: first };
}

function authenticate({ accounts }: WebhookRoutesOptions): RequestHandler {
  const unauthorized = new HttpProblem(
    401,
    'webhook/invalid-token',
    'the webhook token is missing or wrong: compare the URL in SimpleMDM (Settings, Webhooks) with WEBHOOK_TOKEN; with several accounts the path is /webhooks/simplemdm/<account>/<token>',
  );
  // Only wrong tokens count: a burst of valid webhooks is never limited.
  const limitWrongTokens = rateLimit({
    windowMs: 60_000,
    limit: WRONG_TOKENS_PER_MINUTE,
    legacyHeaders: false,
    standardHeaders: false,
    validate: false,
    handler: (_request, _response, next) =>
      next(
        new HttpProblem(
          429,
          'webhook/too-many-wrong-tokens',
          'too many wrong webhook tokens from this address; try again in a minute',
          60,
        ),
      ),
  });
  return (request, response, next) => {
    const { account: name, token } = credentialsOf(request, accounts);
    const account = accounts.get(name);
    const acceptsAll = account?.webhookTokens.length === 0;
    if (account !== undefined && (acceptsAll || isValidToken(token, account.webhookTokens))) {
      response.locals['account'] = name;
      next();
      return;
    }
    // The body stays unread, so the connection cannot be reused.
    response.setHeader('Connection', 'close');
    response.setHeader('WWW-Authenticate', 'Basic realm="mdm-reflex", charset="UTF-8"');
    limitWrongTokens(request, response, (error?: unknown) => next(error ?? unauthorized));
  };
}

function acceptWebhook({ intake, logger, now = () => new Date() }: WebhookRoutesOptions): RequestHandler {
  return async (request, response) => {
    const webhook = parseWebhook(request.body);
    const account = String(response.locals['account']);
    const enqueue = intake();
    if (enqueue === undefined) {
      throw serviceUnavailable(
        'http/unavailable',
        'the service is starting or stopping; send the webhook again in a few seconds',
      );
    }
    const event: Event = {
      id: fingerprint(account, webhook),
      account,
      ...webhook,
      receivedAt: now().toISOString(),
      source: 'webhook',
    };
    const { duplicate } = await enqueue(event).catch((error: unknown) => {
      logger.error(
        {
          code: 'webhook/not-queued',
          event: event.id,
          type: event.type,
          reason: errorText(error),
          requestId: response.getHeader('X-Request-Id'),
        },
        'webhook not queued; the sender got 503',
      );
      throw serviceUnavailable(
        'webhook/not-queued',
        'Redis did not store the event; send the webhook again in a few seconds',
      );
    });
    logger.info(
      {
        event: event.id,
        account,
        type: event.type,
        duplicate,
        requestId: response.getHeader('X-Request-Id'),
      },
      duplicate ? 'duplicate webhook dropped' : 'event accepted',
    );
    response.status(202).json({ id: event.id, duplicate });
  };
}

function parseWebhook(body: unknown): Webhook {
  const parsed = webhookEnvelope.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue === undefined || issue.path.length === 0 ? 'the body' : issue.path.join('.');
    throw new HttpProblem(400, 'webhook/invalid-fields', `${field}: ${issue?.message ?? 'not a webhook'}`);
  }
  const problem = problemInData(parsed.data);
  if (problem !== undefined) throw new HttpProblem(400, 'webhook/invalid-fields', problem);
  return parsed.data;
}
