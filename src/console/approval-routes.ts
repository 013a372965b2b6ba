import express, { Router } from 'express';
import type { RequestHandler, Response } from 'express';
import helmet from 'helmet';
import { z } from 'zod';
import { APPROVAL_PATH } from '../alerts/approval-links.js';
import { openApprovals } from '../coordination/approvals.js';
import type { Approval } from '../coordination/approvals.js';
import { isRedisUnreachable } from '../queues/connection.js';
import { HttpProblem, serviceUnavailable } from '../receiver/http-problem.js';
import { limitWrongAttempts } from '../receiver/limit-wrong-attempts.js';
import { decideApproval } from '../runs/decide-approval.js';
import { STYLE_HASH, answeredPage, approvalPage, unknownLinkPage } from './approval-page.js';
import { rejectCrossSite } from './reject-cross-site.js';
import type { StateSources } from './service-state.js';

/** A form with a name and an answer is shorter. */
const MAX_BODY_BYTES = 4096;

const answerForm = z.object({
  answer: z.enum(['approved', 'rejected']),
  name: z.string().max(1000).optional(),
});

/** What the page reads and writes. */
type ApprovalBackend = Pick<StateSources, 'stores'>;

/**
 * `GET` and `POST /approve/:token`: the page of the link in an approval message. The token is the permission: the page works without
 * `ADMIN_TOKEN`. `GET` changes nothing, because chats and mail filters open links before people do.
 */
export function approvalRoutes(backend: () => ApprovalBackend | undefined): Router {
  const router = Router({ caseSensitive: true });
  const path = `${APPROVAL_PATH}/:token`;
  const limitWrongLinks = limitWrongAttempts('http/too-many-wrong-links', 'approval links');
  const ready = (): ApprovalBackend => {
    const current = backend();
    if (current?.stores.shards.redis.status !== 'ready') throw UNAVAILABLE;
    return current;
  };
  const find: RequestHandler = async (request, response, next) => {
    const token: unknown = request.params['token'];
    const approval = await openApprovals(ready().stores.shards.home).findByToken(String(token));
    if (approval === undefined) {
      // Only wrong links count: a person may open a valid one as often as they like.
      limitWrongLinks(request, response, (error?: unknown) => {
        if (error === undefined) sendPage(response, 404, unknownLinkPage());
        else next(error);
      });
      return;
    }
    approvals.set(response, approval);
    next();
  };
  const approvals = new WeakMap<Response, Approval>();
  router.use(APPROVAL_PATH, policy, noTraces);
  router.get(path, find, (_request, response) => {
    const approval = approvals.get(response);
    if (approval !== undefined) sendPage(response, 200, approvalPage(approval, Date.now()));
  });
  const readForm = express.urlencoded({ extended: false, limit: MAX_BODY_BYTES, parameterLimit: 10 });
  const parseForm: RequestHandler = (request, response, next) => {
    readForm(request, response, (error?: unknown) => next(error === undefined ? undefined : invalidForm()));
  };
  router.post(path, rejectCrossSite, find, parseForm, async (request, response) => {
    const approval = approvals.get(response);
    if (approval === undefined) return;
    const form = answerForm.safeParse(request.body);
    if (!form.success) throw invalidForm();
    const { answer, name } = form.data;
    const { stores } = ready();
    const result = await decideApproval(
      approval.request,
      { answer, via: 'link', by: name, address: request.ip },
      { ...stores.of(approval.request.account), approvals: openApprovals(stores.shards.home) },
    );
    if (result === undefined) sendPage(response, 404, unknownLinkPage());
    else
      sendPage(
        response,
        result.isNew ? 200 : 409,
        answeredPage(approval.request, result.decision, result.isNew),
      );
  });
  router.use(
    APPROVAL_PATH,
    (error: unknown, _request: unknown, _response: unknown, next: (error: unknown) => void) =>
      next(isRedisUnreachable(error) ? UNAVAILABLE : error),
  );
  return router;
}

function invalidForm(): HttpProblem {
  return new HttpProblem(400, 'http/invalid-request', 'expected the form of the page: answer and name');
}

const UNAVAILABLE = serviceUnavailable(
  'http/unavailable',
  'Redis is unreachable, or the service is starting; open the link again in a few seconds',
);

/** No scripts, nothing from elsewhere, and forms to this service only. */
const policy = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    styleSrc: [STYLE_HASH],
    baseUri: ["'none'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
  },
});

/** The address of the page is a permission: no cache, referrer or search engine may keep it. */
const noTraces: RequestHandler = (_request, response, next) => {
  response.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer', 'X-Robots-Tag': 'noindex' });
  next();
};

function sendPage(response: Response, status: number, html: string): void {
  response.status(status).type('text/html').send(html);
}
