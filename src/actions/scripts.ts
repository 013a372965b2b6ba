import { z } from 'zod';
import { knownDevice } from '../enrichment/device.js';
import { StepError, defineAction } from './action.js';
import type { ActionContext, ActionResult } from './action.js';
import { reference, resolveReference } from './reference.js';
import type { Reference } from './reference.js';
import { NO_DEVICE } from './no-device.js';

/** How far the clock of SimpleMDM may be behind ours when we look for a job of an earlier attempt. */
const CLOCK_TOLERANCE_MS = 30_000;

/** Starts a script job on the event's device (API reference, Script Jobs, Create). Scripts run on macOS only. */
export const runScript = defineAction({
  about: 'Starts a script job on the device. macOS only.',
  example: 'run_script: { script: Say hi }',
  args: z.strictObject({ script: reference }),
  outputs: { job_id: 'number', script_id: 'number', script_name: 'string' },
  facts: ['device'],
  perform: async ({ script }, context) => {
    const device = knownDevice.parse(await context.fact('device'));
    if (device === null) return { status: 'skipped', reason: NO_DEVICE };
    if (device.platform !== 'macOS') {
      return { status: 'skipped', reason: `scripts run on macOS only; this device is ${describe(device)}` };
    }
    const { id, attributes } = await findScript(script, context);
    const job = await context.api.scriptJobs.create({ scriptId: id, deviceIds: [device.id] });
    await context.claim(`script_job:${job.id}`);
    return started(job.id, id, attributes.name);
  },
  findEarlier: async ({ script }, context, since) => {
    const device = knownDevice.parse(await context.fact('device'));
    if (device === null) return undefined;
    const { id, attributes } = await findScript(script, context);
    const earliest = since.getTime() - CLOCK_TOLERANCE_MS;
    for await (const job of context.api.scriptJobs.list()) {
      const fits =
        job.attributes.script_name === attributes.name &&
        Date.parse(job.attributes.created_at ?? '') >= earliest &&
        job.relationships?.device?.data.some((target) => target.id === device.id) === true;
      if (fits && (await context.claim(`script_job:${job.id}`))) return started(job.id, id, attributes.name);
    }
    return undefined;
  },
});

/** Cancels a script job that no device has received yet (API reference, Script Jobs, Cancel Job). */
export const cancelScript = defineAction({
  about: 'Cancels a script job that no device has received yet.',
  example: "cancel_script: { job: '{{ steps.hello.job_id }}' }",
  args: z.strictObject({
    job: z.union([z.int().positive(), z.string().min(1)], 'expected the id of a script job'),
  }),
  outputs: { job_id: 'number' },
  facts: [],
  perform: async ({ job }, { api }) => {
    const id = Number(job);
    if (!Number.isSafeInteger(id)) throw new StepError(`job: "${String(job)}" is not the id of a script job`);
    const { attributes } = await api.scriptJobs.retrieve(id);
    if (attributes.status !== 'pending') {
      return { status: 'skipped', reason: `the job is ${attributes.status} already` };
    }
    await api.scriptJobs.cancel(id);
    return { status: 'completed', output: { job_id: id } };
  },
});

function findScript(script: Reference, { directory }: ActionContext) {
  return resolveReference('script', script, directory.scripts, (item) => item.attributes.name);
}

function started(jobId: number, scriptId: number, scriptName: string): ActionResult {
  return { status: 'completed', output: { job_id: jobId, script_id: scriptId, script_name: scriptName } };
}

function describe({
  platform,
  model_name: model,
}: {
  platform: string | null;
  model_name?: string | null | undefined;
}): string {
  if (platform === null) return 'of an unknown platform';
  return model ? `${platform} (${model})` : platform;
}
