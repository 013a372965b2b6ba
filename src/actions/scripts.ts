import { z } from 'zod';
import { knownDevice } from '../enrichment/device.js';
import { waitText } from '../rules/model/duration.js';
import { StepError, defineAction } from './action.js';
import type { ActionContext, ActionResult } from './action.js';
import { reference, resolveReference } from './reference.js';
import type { Reference } from './reference.js';
import { SKIPPED_WITHOUT_DEVICE } from './device-action.js';

/** How far the clock of SimpleMDM may be behind ours when we look for a job of an earlier attempt. */
const CLOCK_TOLERANCE_MS = 30_000;

/** How often a script job is looked at while a step waits for it; later less often. */
const LOOK_FIRST_MS = 2000;
const LOOK_LAST_MS = 60_000;

/**
 * Starts a script job on the event's device (API reference, Script Jobs, Create), and follows it to its end when asked to. Scripts run
 * on macOS only.
 */
export const runScript = defineAction({
  about:
    'Runs a script on the device. macOS only. With `wait: 15m` the step lasts until the device has answered, and fails when the script does or the time is up; no worker is kept busy meanwhile. What the script said is left behind.',
  example: 'run_script: { script: Say hi, wait: 15m }',
  args: z.strictObject({ script: reference, wait: waitText.optional() }),
  shorthand: 'script',
  refersTo: { script: 'script' },
  outputs: {
    job_id: 'number',
    script_id: 'number',
    script_name: 'string',
    response: 'string',
    status_code: 'string',
  },
  facts: ['device'],
  perform: async ({ script, wait }, context) => {
    const begun = startedJob.safeParse(context.previousOutput).data;
    // The script has been started, whatever has become of the device since.
    if (begun !== undefined && wait !== undefined) return followJob(begun, wait, context);
    const device = knownDevice.parse(await context.fact('device'));
    if (device === null) return SKIPPED_WITHOUT_DEVICE;
    if (device.platform !== 'macOS') {
      return {
        status: 'skipped',
        code: 'step/unsupported-platform',
        reason: `scripts run on macOS only; this device is ${describe(device)}`,
      };
    }
    const { id, attributes } = await findScript(script, context);
    const job = await context.api.scriptJobs.create({ scriptId: id, deviceIds: [device.id] });
    await context.claim(`script_job:${job.id}`);
    return started({ job: job.id, device: device.id, script: id, name: attributes.name }, wait, context);
  },
  findEarlier: async ({ script, wait }, context, since) => {
    const device = knownDevice.parse(await context.fact('device'));
    if (device === null) return undefined;
    const { id, attributes } = await findScript(script, context);
    const earliest = since.getTime() - CLOCK_TOLERANCE_MS;
    for await (const job of context.api.scriptJobs.list()) {
      const fits =
        job.attributes.script_name === attributes.name &&
        Date.parse(job.attributes.created_at ?? '') >= earliest &&
        job.relationships?.device?.data.some((target) => target.id === device.id) === true;
      if (fits && (await context.claim(`script_job:${job.id}`)))
        return started({ job: job.id, device: device.id, script: id, name: attributes.name }, wait, context);
    }
    return undefined;
  },
});

/** What a step that waits for its script job has left behind. */
const startedJob = z.looseObject({
  job_id: z.int(),
  device_id: z.int(),
  script_id: z.int(),
  script_name: z.string(),
  since: z.string(),
});

async function followJob(
  {
    job_id: jobId,
    device_id: deviceId,
    script_id: scriptId,
    script_name: scriptName,
    since,
  }: z.output<typeof startedJob>,
  waitMs: number,
  { api, now }: ActionContext,
): Promise<ActionResult> {
  const { attributes, relationships } = await api.scriptJobs.retrieve(jobId);
  const target = relationships?.device?.data.find(({ id }) => id === deviceId);
  const status = target?.status ?? attributes.status;
  const output = {
    job_id: jobId,
    script_id: scriptId,
    script_name: scriptName,
    response: target?.response ?? null,
    status_code: target?.status_code ?? null,
  };
  if (status === 'completed') return { status: 'completed', output };
  if (status !== 'pending') {
    const code = output.status_code === null ? '' : ` with code ${output.status_code}`;
    const how = status === 'cancelled' ? 'was cancelled' : `failed${code}`;
    return {
      status: 'failed',
      code: 'step/script-failed',
      reason: `the script ${how} on the device (job ${jobId})`,
      output,
    };
  }
  const waited = now().getTime() - Date.parse(since);
  if (waited >= waitMs) {
    const reason = `the device has not answered within ${waitMs / 1000} seconds; job ${jobId} is still there`;
    return { status: 'failed', code: 'step/timeout', reason, output };
  }
  // A tenth longer each time: quick for a device that is awake, and few calls for one that sleeps for hours.
  const pause = Math.min(Math.max(waited / 10, LOOK_FIRST_MS), LOOK_LAST_MS, waitMs - waited);
  return {
    status: 'waiting',
    until: now().getTime() + pause,
    reason: `waits for the device to run the script (job ${jobId})`,
    output: { ...output, device_id: deviceId, since },
  };
}

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
    if (!Number.isSafeInteger(id))
      throw new StepError('step/invalid-argument', `job: "${String(job)}" is not the id of a script job`);
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

function started(
  { job, device, script, name }: { job: number; device: number; script: number; name: string },
  wait: number | undefined,
  { now }: ActionContext,
): ActionResult {
  const output = { job_id: job, script_id: script, script_name: name };
  if (wait === undefined)
    return { status: 'completed', output: { ...output, response: null, status_code: null } };
  return {
    status: 'waiting',
    until: now().getTime() + Math.min(LOOK_FIRST_MS, wait),
    reason: `waits for the device to run the script (job ${job})`,
    output: { ...output, device_id: device, since: now().toISOString() },
  };
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
