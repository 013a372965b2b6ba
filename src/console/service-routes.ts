import { Router } from 'express';
import { openAlertStore } from '../alerts/alert-store.js';
import { openRunLimits } from '../coordination/run-limits.js';
import { HttpProblem } from '../receiver/http-problem.js';
import { queueState } from './queue-state.js';
import { alertsState, rulesState, serviceState } from './service-state.js';
import type { StateSources } from './service-state.js';

/**
 * `GET /api/status`, `/api/rules`, `/api/alerts`, `/api/queue`; `POST /api/held/:account/:rule/release` and `/drop`,
 * `POST /api/alerts/:id/retry` and `/drop`. The caller has authenticated the request.
 *
 * @param ready - Throws while the service is not ready.
 */
export function serviceRoutes(ready: () => StateSources): Router {
  const router = Router();
  router.get('/api/status', async (_request, response) => {
    response.json(await serviceState(ready()));
  });
  router.get('/api/rules', async (_request, response) => {
    const rules = await rulesState(ready());
    if (rules === undefined)
      throw new HttpProblem(
        503,
        'http/no-worker',
        'no worker runs, so no rules are loaded; start a worker with "mdm-reflex worker"',
      );
    response.json({ rules });
  });
  router.get('/api/alerts', async (_request, response) => {
    response.json(await alertsState(ready()));
  });
  router.get('/api/queue', async (_request, response) => {
    const { stores, apiRate } = ready();
    response.json(await queueState(stores.shards, apiRate));
  });
  for (const action of ['release', 'drop'] as const) {
    router.post(`/api/held/:account/:rule/${action}`, async (request, response) => {
      const { account, rule } = request.params;
      if (!(await openRunLimits(ready().stores.shards.of(account))[action](account, rule)))
        throw notFound(`the rule ${quoted(rule)} is not held in the account ${quoted(account)}`);
      response.json({ account, rule, done: action === 'release' ? 'released' : 'dropped' });
    });
  }
  router.post('/api/alerts/:id/retry', async (request, response) => {
    const { id } = request.params;
    if ((await openAlertStore(ready().stores.shards.home).requeue(id)) === undefined) throw noSuchMessage(id);
    response.json({ id, done: 'retried' });
  });
  router.post('/api/alerts/:id/drop', async (request, response) => {
    const { id } = request.params;
    if (!(await openAlertStore(ready().stores.shards.home).drop(id))) throw noSuchMessage(id);
    response.json({ id, done: 'dropped' });
  });
  return router;
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 80));

function noSuchMessage(id: string): HttpProblem {
  return notFound(`there is no undelivered message ${quoted(id)}`);
}

function notFound(detail: string): HttpProblem {
  return new HttpProblem(404, 'http/not-found', `${detail}; GET /api/status lists the current ones`);
}
