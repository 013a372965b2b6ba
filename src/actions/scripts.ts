import { z } from 'zod';
import { knownDevice } from '../enrichment/device.js';
import { mayBe } from '../enrichment/platform.js';
import { waitText } from '../rules/model/duration.js';
import { StepError, defineAction } from './action.js';
import type { ActionContext, ActionResult } from './action.js';
import { SKIPPED_WITHOUT_DEVICE, platformText } from './device-action.js';
import { scripts } from './reference-kinds.js';
import { reference } from './resolve-reference.js';

/** How far the clock of SimpleMDM may be behind the local clock, for the search for a job of an earlier attempt. */
const CLOCK_TOLERANCE_MS = 30_000;

/** The shortest and longest interval between two checks of a script job. */
const MIN_CHECK_INTERVAL_MS = 2000;
const MAX_CHECK_INTERVAL_MS = 60_000;

/** API reference, Script Jobs, Create. Follows the job to its end if the step waits. SimpleMDM runs scripts on macOS only. */
export const runScript = defineAction({
  about:
    'Runs a script on the device. macOS only. With `wait: 15m`, the step waits for the response of the device, and fails when the script fails or the time is up. No worker is busy meanwhile. The output has the response of the script, without line breaks at its end.',
  example: 'run_script: { script: Say hi, wait: 15m }',
  args: z.strictObject({ script: reference, wait: waitText.optional() }),
  shorthand: 'script',
  refersTo: { script: scripts.kind },
  outputs: {
    job_id: 'number',
    script_id: 'number',
    script_name: 'string',
    response: 'string',
    status_code: 'string',
  },
  decidesOn: ['platform'],
  facts: ['device'],
  perform: async ({ script, wait }, context) => {
    const job = waitingJob.safeParse(context.previousOutput).data;
    // The job exists, whatever has happened to the device since.
    if (job !== undefined && wait !== undefined) return checkJob(job, wait, context);
    const device = knownDevice.parse(await context.fact('device'));
    if (device === null) return SKIPPED_WITHOUT_DEVICE;
    if (!mayBe(device.platform, ['macOS'])) {
      return {
        status: 'skipped',
        code: 'step/unsupported-platform',
        reason: `scripts run on macOS only; this device is ${platformText(device)}`,
      };
    }
    const { id, record } = await scripts.find(script, context.lists);
    const { id: jobId } = await context.api.scriptJobs.create({ scriptId: id, deviceIds: [device.id] });
    await context.claim(claimOf(jobId));
    return startedJob({ jobId, deviceId: device.id, script: record }, wait, context);
  },
  findEarlier: async ({ script, wait }, context, since) => {
    const device = knownDevice.parse(await context.fact('device'));
    if (device === null) return undefined;
    const { record } = await scripts.find(script, context.lists);
    const earliest = since.getTime() - CLOCK_TOLERANCE_MS;
    for await (const { id: jobId, attributes, relationships } of context.api.scriptJobs.list()) {
      const isCandidate =
        isSameName(attributes.script_name, record.attributes.name) &&
        Date.parse(attributes.created_at ?? '') >= earliest &&
        relationships?.device?.data?.some((target) => target.id === device.id) === true;
      if (isCandidate && (await context.claim(claimOf(jobId))))
        return startedJob({ jobId, deviceId: device.id, script: record }, wait, context);
    }
    return undefined;
  },
});

/** A name that could not be read may be the same: two runs of a script are worse than the job of another run. */
function isSameName(one: string | null | undefined, other: string | null | undefined): boolean {
  return one === null || one === undefined || other === null || other === undefined || one === other;
}

function claimOf(jobId: number): string {
  return `script_job:${jobId}`;
}

/** The output of a step while it waits for its script job. */
const waitingJob = z.looseObject({
  job_id: z.int(),
  device_id: z.int(),
  script_id: z.int(),
  script_name: z.string(),
  since: z.string(),
});

/** The final statuses of a job and of its devices, apart from `completed`. */
const FAILED: ReadonlySet<string> = new Set([
  'error',
  'errored',
  'failed',
  'completed-with-errors',
  'cancelled',
  'canceled',
]);

async function checkJob(
  {
    job_id: jobId,
    device_id: deviceId,
    script_id: scriptId,
    script_name: scriptName,
    since,
  }: z.output<typeof waitingJob>,
  waitMs: number,
  { api, now }: ActionContext,
): Promise<ActionResult> {
  const { attributes, relationships } = await api.scriptJobs.retrieve(jobId);
  const target = relationships?.device?.data?.find(({ id }) => id === deviceId);
  const status = target?.status ?? attributes.status;
  const output = {
    job_id: jobId,
    script_id: scriptId,
    script_name: scriptName,
    // As `$(…)` in a shell: a script that prints "yes" has the response "yes".
    response: target?.response?.trimEnd() ?? null,
    status_code: target?.status_code ?? null,
  };
  if (status === 'completed') return { status: 'completed', output };
  // A status that could not be read, or that is new, says nothing: the job is checked again until the wait is over.
  if (FAILED.has(status ?? '')) {
    const exitCode = output.status_code === null ? '' : ` with code ${output.status_code}`;
    const outcome = status === 'cancelled' ? 'was canceled' : `failed${exitCode}`;
    return {
      status: 'failed',
      code: 'step/script-failed',
      reason: `the script ${outcome} on the device (job ${jobId})`,
      output,
    };
  }
  const waitedMs = now().getTime() - Date.parse(since);
  if (waitedMs >= waitMs) {
    return {
      status: 'failed',
      code: 'step/timeout',
      reason: `no response from the device within ${waitMs / 1000} s; job ${jobId} is still pending`,
      output,
    };
  }
  // The interval grows with the wait: a device that is awake is quick, and one that sleeps for hours costs few calls.
  const intervalMs = Math.min(
    Math.max(waitedMs / 10, MIN_CHECK_INTERVAL_MS),
    MAX_CHECK_INTERVAL_MS,
    waitMs - waitedMs,
  );
  return {
    status: 'waiting',
    until: now().getTime() + intervalMs,
    reason: waitReason(jobId),
    output: { ...output, device_id: deviceId, since },
  };
}

function startedJob(
  {
    jobId,
    deviceId,
    script,
  }: {
    readonly jobId: number;
    readonly deviceId: number;
    readonly script: {
      readonly id: number;
      readonly attributes: { readonly name?: string | null | undefined };
    };
  },
  wait: number | undefined,
  { now }: ActionContext,
): ActionResult {
  const output = {
    job_id: jobId,
    script_id: script.id,
    script_name: script.attributes.name ?? `script ${script.id}`,
  };
  if (wait === undefined)
    return { status: 'completed', output: { ...output, response: null, status_code: null } };
  return {
    status: 'waiting',
    until: now().getTime() + Math.min(MIN_CHECK_INTERVAL_MS, wait),
    reason: waitReason(jobId),
    output: { ...output, device_id: deviceId, since: now().toISOString() },
  };
}

function waitReason(jobId: number): string {
  return `waits for the device to run the script (job ${jobId})`;
}

/** API reference, Script Jobs, Cancel Job. */
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
    const { status } = attributes;
    if (status !== null && status !== undefined && status !== 'pending') {
      return { status: 'skipped', reason: `the job is already ${status}` };
    }
    await api.scriptJobs.cancel(id);
    return { status: 'completed', output: { job_id: id } };
  },
});
