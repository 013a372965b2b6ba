import { Router } from 'express';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import type { Counter } from 'prom-client';
import type { Account } from '../config/accounts.js';
import { DEFAULT_ACCOUNT } from '../config/accounts.js';
import type { FirstReceipt } from '../coordination/first-receipt.js';
import { jsonObject } from '../events/envelope.js';
import type { Event } from '../events/envelope.js';
import { fingerprint } from '../events/fingerprint.js';
import { warningsOf } from '../events/oddity.js';
import type { Oddity } from '../events/oddity.js';
import { readWebhook } from '../events/read-webhook.js';
import type { ReadWebhook } from '../events/read-webhook.js';
import { KNOWN_TYPES } from '../events/webhook-types.js';
import { errorText } from '../telemetry/error-text.js';
import type { Logger } from '../telemetry/logger.js';
import type { Metrics } from '../telemetry/metrics.js';
import { redactJson } from '../telemetry/redaction.js';
import type { Redact } from '../telemetry/redaction.js';
import { hasValidToken, tokensFromHeaders } from './authenticate.js';
import type { Intake } from './intake.js';
import { readJsonBody } from './json-body.js';
import { HttpProblem, serviceUnavailable } from './http-problem.js';
import { limitWrongAttempts } from './limit-wrong-attempts.js';
import { requestIdOf, sendJson } from './response-headers.js';

/** What the webhook routes need. */
export interface WebhookRoutesOptions {
  readonly accounts: ReadonlyMap<string, Account>;
  /** Undefined while the service starts or stops. Then webhooks get 503. */
  readonly store: () => WebhookStore | undefined;
  /** `WEBHOOK_TOKEN_HEADER`: a header that holds the token, in addition to {@link TOKEN_HEADERS}. */
  readonly tokenHeader: string;
  /** Masks the secrets of the service: an odd webhook may repeat its token in a field or a header. */
  readonly redact: Redact;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly now?: () => Date;
}

/** Where webhooks are stored. */
export interface WebhookStore {
  readonly intake: Intake;
  readonly firstReceipt: FirstReceipt;
  /** Called when Redis did not store a webhook. */
  readonly onNotStored: () => void;
}

/** Headers that may hold the token. Public set-ups for SimpleMDM use the second one. */
const TOKEN_HEADERS = ['X-Webhook-Token', 'X-SimpleMDM-Webhook-Secret'];

const METHOD_HINT = 'this address receives webhooks by POST only: enter it in SimpleMDM (Settings, Webhooks)';

/** `POST /webhooks/simplemdm…`: authenticates before reading the body, validates, and sends 202 only when Redis has the event. */
export function webhookRoutes(options: WebhookRoutesOptions): Router {
  const router = Router({ caseSensitive: true });
  const paths = ['/webhooks/simplemdm', '/webhooks/simplemdm/:first', '/webhooks/simplemdm/:first/:second'];
  router.post(
    paths,
    countWebhooks(options.metrics),
    authenticate(options),
    acceptWebhook(options),
    logRefused(options),
  );
  router.all(paths, (_request, response, next) => {
    response.setHeader('Allow', 'POST');
    next(new HttpProblem(405, 'webhook/method-not-allowed', METHOD_HINT));
  });
  return router;
}

/** Counts the webhooks whose response is sent. */
function countWebhooks({ webhooks }: Metrics): RequestHandler {
  /** The counters by type and status: looking one up by its labels is expensive. */
  const counters = new Map<string, Counter.Internal>();
  const count = (response: Response): void => {
    const [type, status] = [typeLabel(response), String(response.statusCode)];
    const key = `${type} ${status}`;
    const counter = counters.get(key) ?? webhooks.labels({ type, status });
    counters.set(key, counter);
    counter.inc();
  };
  return (_request, response, next) => {
    response.on('finish', () => count(response));
    next();
  };
}

/** The type as a metric label. Unknown types share one label, because a sender could invent any number of them. */
function typeLabel(response: Response): string {
  const type: unknown = response.locals['type'];
  if (typeof type !== 'string') return 'none';
  return KNOWN_TYPES.includes(type) ? type : 'other';
}

/** The account and the possible tokens of a request. A single path segment is the token, unless it is an account and headers carry tokens. */
function credentialsOf(
  request: Request,
  { accounts, tokenHeader }: WebhookRoutesOptions,
): { account: string; tokens: string[] } {
  const { first, second } = request.params;
  if (typeof second === 'string') return { account: String(first), tokens: [second] };
  const tokens = tokensFromHeaders({
    plain: [tokenHeader, ...TOKEN_HEADERS].map((name) => request.get(name)),
    authorization: request.get('Authorization'),
  });
  if (typeof first !== 'string') return { account: DEFAULT_ACCOUNT, tokens };
  return tokens.length > 0 && accounts.has(first)
    ? { account: first, tokens }
    : { account: DEFAULT_ACCOUNT, tokens: [first] };
}

function authenticate(options: WebhookRoutesOptions): RequestHandler {
  const unauthorized = new HttpProblem(
    401,
    'webhook/invalid-token',
    'the webhook token is missing or wrong: compare the URL in SimpleMDM (Settings, Webhooks) with WEBHOOK_TOKEN; with several accounts the path is /webhooks/simplemdm/<account>/<token>',
  );
  // Only wrong tokens count: a burst of valid webhooks is never limited.
  const limitWrongTokens = limitWrongAttempts('webhook/too-many-wrong-tokens', 'webhook tokens');
  return (request, response, next) => {
    const { account: name, tokens } = credentialsOf(request, options);
    const account = options.accounts.get(name);
    const acceptsAll = account?.webhookTokens.length === 0;
    if (account !== undefined && (acceptsAll || hasValidToken(tokens, account.webhookTokens))) {
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

function acceptWebhook({
  store,
  metrics,
  logger,
  redact,
  now = () => new Date(),
}: WebhookRoutesOptions): RequestHandler {
  return async (request, response) => {
    const { value, oddities: bodyOddities } = await readJsonBody(request, response);
    const account = String(response.locals['account']);
    const receivedAt = now();
    const read = readWebhook(value, receivedAt);
    if ('problem' in read) throw new HttpProblem(400, 'webhook/invalid-fields', read.problem);
    const type = redact(read.webhook.type);
    response.locals['type'] = type;
    const oddities = [...bodyOddities, ...read.oddities];
    const requestId = requestIdOf(response);
    const open = store();
    if (open === undefined) {
      throw serviceUnavailable(
        'http/unavailable',
        'the service is starting or stopping; send the webhook again in a few seconds',
      );
    }
    const stored = storeEvent(
      account,
      {
        ...read,
        webhook: { ...read.webhook, type },
        original: redactedObject(redact, read.original),
      },
      warningsOf(oddities).map(redact),
      receivedAt.toISOString(),
      open,
    );
    const { event, duplicate } = await stored.catch((error: unknown) => {
      open.onNotStored();
      logger.error(
        { code: 'webhook/not-queued', account, type, reason: errorText(error), requestId },
        'webhook not queued; the sender got 503',
      );
      throw serviceUnavailable(
        'webhook/not-queued',
        'Redis did not store the event; send the webhook again in a few seconds',
      );
    });
    const { id: eventId, warnings } = event;
    logger.info(
      { event: eventId, account, type, duplicate, requestId },
      duplicate ? 'duplicate webhook dropped' : 'event accepted',
    );
    if (!duplicate && warnings !== undefined) {
      countOddities(oddities, metrics);
      logger.warn(
        { code: 'webhook/odd', event: eventId, account, type, warnings, requestId },
        'the webhook does not have the documented form; it was kept',
      );
    }
    sendJson(response, 202, JSON.stringify({ id: eventId, duplicate }));
  };
}

function redactedObject(redact: Redact, value: Record<string, unknown>): Record<string, unknown> {
  // Only odd webhooks have an original.
  return Object.keys(value).length === 0 ? value : jsonObject.parse(redactJson(redact, value));
}

async function storeEvent(
  account: string,
  { webhook, hasTime, identity, original }: ReadWebhook,
  warnings: readonly string[],
  receivedAt: string,
  { intake, firstReceipt }: WebhookStore,
): Promise<{ event: Event; duplicate: boolean }> {
  // Without a time, equal content is one event for some minutes, and another event later.
  const at = hasTime ? webhook.at : await firstReceipt(account, fingerprint(account, identity), receivedAt);
  const event: Event = {
    id: fingerprint(account, hasTime ? identity : { ...identity, at: [identity.at, at] }),
    account,
    ...webhook,
    at,
    receivedAt,
    source: 'webhook',
    ...(warnings.length > 0 && { warnings: [...warnings] }),
    ...(Object.keys(original).length > 0 && { original }),
  };
  return { event, ...(await intake(event)) };
}

function countOddities(oddities: readonly Oddity[], metrics: Metrics): void {
  for (const kind of new Set(oddities.map((oddity) => oddity.kind))) metrics.webhookOddities.inc({ kind });
}

/** Logs authenticated requests that are refused: somebody set up something that does not work, and nobody would see it. */
function logRefused({ logger }: WebhookRoutesOptions): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const account: unknown = response.locals['account'];
    if (error instanceof HttpProblem && error.status < 500 && account !== undefined) {
      const { code, status, detail } = error;
      logger.warn(
        {
          code,
          status,
          account,
          detail,
          contentType: request.get('Content-Type')?.slice(0, 80),
          bytes: request.get('Content-Length'),
          requestId: requestIdOf(response),
        },
        'request with a valid webhook token refused: it holds no webhook',
      );
    }
    next(error);
  };
}
