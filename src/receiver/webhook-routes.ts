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
import { isGoodToken, presentedToken } from './authenticate.js';
import type { Intake } from './intake.js';
import { jsonBody } from './json-body.js';
import { HttpProblem, unavailable } from './http-problem.js';

/** What the webhook routes need. */
export interface WebhookRoutesOptions {
  readonly accounts: ReadonlyMap<string, Account>;
  /** Undefined until the service is ready and again once it stops: then webhooks are answered 503. */
  readonly intake: () => Intake | undefined;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly now?: () => Date;
}

/** Wrong tokens that one address may present in a minute before it is told to slow down. */
const WRONG_TOKENS_PER_MINUTE = 20;

const METHOD_HINT =
  'this address takes webhooks: enter it in SimpleMDM (Settings, Webhooks); it answers POST only';

/** `POST /webhooks/simplemdm…`: authenticates before the body is read, validates, and answers 202 only when Redis has the event. */
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
  router.post(paths, count, authenticate(options), jsonBody, take(options));
  router.all(paths, (_request, response, next) => {
    response.setHeader('Allow', 'POST');
    next(new HttpProblem(405, 'Method not allowed', METHOD_HINT));
  });
  return router;
}

/** The type as a metric label: unknown ones are counted together, since a sender could invent any number of them. */
function typeLabel(body: unknown): string {
  const type = typeof body === 'object' && body !== null && 'type' in body ? body.type : undefined;
  if (typeof type !== 'string') return 'none';
  return KNOWN_TYPES.includes(type) ? type : 'other';
}

/** Which account a request is for and the token it presents. One part in the path is the token, unless a header brings one. */
function claimOf(
  request: Request,
  accounts: ReadonlyMap<string, Account>,
): { account: string; token: string | undefined } {
  const { first, second } = request.params;
  const elsewhere = presentedToken({
    header: request.get('X-Webhook-Token'),
    authorization: request.get('Authorization'),
  });
  if (typeof second === 'string') return { account: String(first), token: second };
  if (typeof first !== 'string') return { account: DEFAULT_ACCOUNT, token: elsewhere };
  return elsewhere !== undefined && accounts.has(first)
    ? { account: first, token: elsewhere }
    : { account: DEFAULT_ACCOUNT, token: first };
}

function authenticate({ accounts }: WebhookRoutesOptions): RequestHandler {
  const unauthorized = new HttpProblem(
    401,
    'Unauthorized',
    'the webhook token is missing or wrong: compare the URL in SimpleMDM (Settings, Webhooks) with WEBHOOK_TOKEN; with several accounts it is /webhooks/simplemdm/<account>/<token>',
  );
  // Only wrong tokens are counted: a burst of real webhooks must never be turned away.
  const slowDown = rateLimit({
    windowMs: 60_000,
    limit: WRONG_TOKENS_PER_MINUTE,
    legacyHeaders: false,
    standardHeaders: false,
    validate: false,
    handler: (_request, _response, next) =>
      next(
        new HttpProblem(
          429,
          'Too many requests',
          'too many wrong webhook tokens from this address; try again in a minute',
          60,
        ),
      ),
  });
  return (request, response, next) => {
    const { account: name, token } = claimOf(request, accounts);
    const account = accounts.get(name);
    const open = account?.webhookTokens.length === 0;
    if (account !== undefined && (open || isGoodToken(token, account.webhookTokens))) {
      response.locals['account'] = name;
      next();
      return;
    }
    // The body is not read, so the connection cannot be used again.
    response.setHeader('Connection', 'close');
    response.setHeader('WWW-Authenticate', 'Basic realm="mdm-reflex", charset="UTF-8"');
    slowDown(request, response, (error?: unknown) => next(error ?? unauthorized));
  };
}

function take({ intake, logger, now = () => new Date() }: WebhookRoutesOptions): RequestHandler {
  return async (request, response) => {
    const webhook = parse(request.body);
    const account = String(response.locals['account']);
    const store = intake();
    if (store === undefined)
      throw unavailable('the service is starting or stopping; send it again in a few seconds');
    const event: Event = {
      id: fingerprint(account, webhook),
      account,
      ...webhook,
      receivedAt: now().toISOString(),
      source: 'webhook',
    };
    const taken = await store(event).catch((error: unknown) => {
      logger.error(
        {
          event: event.id,
          type: event.type,
          reason: errorText(error),
          requestId: response.getHeader('X-Request-Id'),
        },
        'a webhook could not be queued; its sender was told 503',
      );
      throw unavailable('Redis is away, so the event could not be kept; send it again in a few seconds');
    });
    logger.info(
      {
        event: event.id,
        account,
        type: event.type,
        duplicate: taken.duplicate,
        requestId: response.getHeader('X-Request-Id'),
      },
      taken.duplicate ? 'repeat of an event that was taken before' : 'event taken',
    );
    response.status(202).json({ id: event.id, duplicate: taken.duplicate });
  };
}

function parse(body: unknown): Webhook {
  const parsed = webhookEnvelope.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue === undefined || issue.path.length === 0 ? 'the body' : issue.path.join('.');
    throw new HttpProblem(400, 'Malformed webhook', `${field}: ${issue?.message ?? 'not a webhook'}`);
  }
  const problem = problemInData(parsed.data);
  if (problem !== undefined) throw new HttpProblem(400, 'Malformed webhook', problem);
  return parsed.data;
}
