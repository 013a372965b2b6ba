import { Router } from 'express';
import type { Metrics } from '../telemetry/metrics.js';
import { HttpProblem, sendProblem } from './http-problem.js';

/** Whether a process can do its work. */
export interface Readiness {
  readonly ready: boolean;
  /** The state of Redis, rules and accounts, as fields of the response. */
  readonly details: Readonly<Record<string, unknown>>;
}

const NOT_READY = new HttpProblem(
  503,
  'http/unavailable',
  'the service is not ready: "redis" and "stopping" name the reason',
);

/** `GET /healthz` (alive), `GET /readyz` (ready for work), `GET /metrics` (Prometheus). */
export function healthRoutes(readiness: () => Promise<Readiness>, metrics: Metrics): Router {
  const router = Router();
  router.get('/healthz', (_request, response) => {
    response.json({ status: 'alive' });
  });
  router.get('/readyz', async (_request, response) => {
    const { ready, details } = await readiness();
    if (ready) response.json({ status: 'ready', ...details });
    else sendProblem(response, NOT_READY, details);
  });
  router.get('/metrics', async (_request, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  return router;
}
