import { z } from 'zod';
import type { Transport } from './http.js';
import { fetchAll, fetchParsed, single } from './resource.js';

const scriptJob = z.looseObject({
  type: z.string(),
  id: z.int(),
  attributes: z.looseObject({
    script_name: z.string().nullish(),
    status: z.string(),
    created_at: z.string().nullish(),
  }),
  relationships: z
    .looseObject({
      device: z
        .looseObject({
          data: z.array(
            z.looseObject({
              id: z.int(),
              status: z.string().nullish(),
              status_code: z.string().nullish(),
              response: z.string().nullish(),
            }),
          ),
        })
        .nullish(),
    })
    .optional(),
});

/** A script that was set to run on some devices. */
export type ScriptJob = z.output<typeof scriptJob>;

/** API reference, section Script Jobs. */
export function createScriptJobs(transport: Transport) {
  return {
    /** List all: `GET /script_jobs`. Jobs remain listed for one month. */
    list: (): AsyncGenerator<ScriptJob> => fetchAll(transport, { route: '/script_jobs' }, scriptJob),

    /** Create: `POST /script_jobs`. Not idempotent: every call starts a job. macOS only. */
    create: async (job: { scriptId: number; deviceIds: readonly number[] }): Promise<ScriptJob> =>
      (
        await fetchParsed(
          transport,
          {
            method: 'POST',
            route: '/script_jobs',
            body: { script_id: job.scriptId, device_ids: job.deviceIds.join(',') },
          },
          single(scriptJob),
        )
      ).data,
  };
}
