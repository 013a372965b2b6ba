import { Router } from 'express';
import type { Metrics } from '../telemetry/metrics.js';

/** Whether the process can do its work, with what keeps it from doing so. */
export interface Readiness {
  readonly ready: boolean;
  /** What a person wants to know besides: Redis, rules, accounts. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** `GET /healthz` (alive), `GET /readyz` (can work), `GET /metrics` (Prometheus). */
export function healthRoutes(readiness: () => Promise<Readiness>, metrics: Metrics): Router {
  const router = Router();
  router.get('/healthz', (_request, response) => {
    response.json({ status: 'alive' });
  });
  router.get('/readyz', async (_request, response) => {
    const { ready, details } = await readiness();
    response.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'not ready', ...details });
  });
  router.get('/metrics', async (_request, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  return router;
}
