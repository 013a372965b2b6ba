import { Router } from 'express';
import { openApprovals } from '../coordination/approvals.js';
import { HttpProblem } from '../receiver/http-problem.js';
import { decideApproval } from '../runs/decide-approval.js';
import type { StateSources } from './service-state.js';

/**
 * `POST /api/approvals/:id/approve` and `/reject`. The caller has authenticated the request. `GET /api/status` lists what waits.
 *
 * @param ready - Throws while the service is not ready.
 */
export function approvalApiRoutes(ready: () => Pick<StateSources, 'stores'>): Router {
  const router = Router();
  for (const [verb, answer] of [
    ['approve', 'approved'],
    ['reject', 'rejected'],
  ] as const) {
    router.post(`/api/approvals/:id/${verb}`, async (request, response) => {
      const { id } = request.params;
      const { stores } = ready();
      const approvals = openApprovals(stores.shards.home);
      const found = await approvals.find(id);
      const result =
        found &&
        (await decideApproval(
          found.request,
          { answer, via: 'console', address: request.ip },
          { ...stores.of(found.request.account), approvals },
        ));
      if (result === undefined) {
        const shown = JSON.stringify(id.slice(0, 80));
        throw new HttpProblem(
          404,
          'http/not-found',
          `there is no approval ${shown}; GET /api/status lists the current ones`,
        );
      }
      if (!result.isNew) {
        throw new HttpProblem(
          409,
          'http/approval-closed',
          `the approval is closed: ${result.decision.answer} at ${result.decision.at}`,
        );
      }
      response.json({ id, done: answer });
    });
  }
  return router;
}
