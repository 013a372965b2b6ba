import type { Device } from '../fleet/device.js';
import type { Fleet, Script, ScriptJob } from '../fleet/fleet.js';
import { writeDeviceLog } from '../fleet/write-log.js';
import { timestamp } from '../timestamps.js';

/** Starts a job: pending now, completed on every device after a delay (reference: Script Jobs). */
export function runScriptLater(
  fleet: Fleet,
  script: Script,
  deviceIds: readonly number[],
  { jobName = 'API Job', storeIn }: { jobName?: string; storeIn?: NonNullable<ScriptJob['storeIn']> } = {},
): ScriptJob {
  const at = timestamp(fleet.clock.now());
  const id = fleet.nextId('scriptJob');
  const job: ScriptJob = {
    id,
    script_name: script.name,
    job_name: jobName,
    ...(storeIn && { storeIn }),
    content: script.content,
    job_id: (0x87135 + id).toString(16).slice(-5),
    variable_support: script.variable_support,
    status: 'pending',
    created_by: 'API (Test API)',
    created_at: at,
    updated_at: at,
    devices: deviceIds.map((deviceId) => ({
      id: deviceId,
      status: 'pending',
      status_code: null,
      response: null,
    })),
  };
  fleet.scriptJobs.set(id, job);
  fleet.clock.after(fleet.delays.scriptJobMs, () => finish(fleet, job));
  return job;
}

/**
 * Cancels a job that no device has received yet.
 *
 * @returns false when the job is not pending.
 */
export function cancelScriptJob(fleet: Fleet, job: ScriptJob): boolean {
  if (job.status !== 'pending') return false;
  job.status = 'cancelled';
  job.updated_at = timestamp(fleet.clock.now());
  for (const target of job.devices) target.status = 'cancelled';
  return true;
}

function finish(fleet: Fleet, job: ScriptJob): void {
  if (job.status !== 'pending') return;
  const { exitCode, output } = resultOf(job.content);
  for (const target of job.devices) {
    const device = fleet.devices.get(target.id);
    // A device that has left never reports a result.
    if (device === undefined) continue;
    target.status = exitCode === '0' ? 'completed' : 'error';
    target.status_code = exitCode;
    target.response = output;
    if (job.storeIn !== undefined) store(fleet, device.id, job.storeIn, output);
    logRun(fleet, device, job, exitCode, output);
  }
  job.updated_at = timestamp(fleet.clock.now());
  if (job.devices.some(({ status }) => status === 'pending')) return;
  job.status = job.devices.some(({ status }) => status === 'error') ? 'completed-with-errors' : 'completed';
}

/** Stores the output without what the regular expression matches: `\n` removes the line breaks. */
function store(
  { devices }: Fleet,
  deviceId: number,
  { attribute, regex }: NonNullable<ScriptJob['storeIn']>,
  output: string,
): void {
  const value = regex === '' ? output : output.replace(new RegExp(regex, 'g'), '');
  devices.edit(deviceId)?.customValues.set(attribute, value);
}

function logRun(fleet: Fleet, device: Device, job: ScriptJob, exitCode: string, output: string): void {
  writeDeviceLog(fleet, device, {
    event_type: 'script.ran',
    metadata: { name: job.script_name, job_status: exitCode, job_response: output },
  });
}

/** The result of a script. The simulator interprets two kinds of lines: `echo "…"` is output, `exit N` is the exit code. */
function resultOf(content: string): { exitCode: string; output: string } {
  const lines = content.split(/\r?\n/).map((line) => line.trim());
  const output = lines.flatMap((line) => /^echo +(["']?)([^|]*?)\1$/.exec(line)?.[2] ?? []);
  const exit = lines.flatMap((line) => /^exit +(\d+)$/.exec(line)?.[1] ?? []);
  return { exitCode: exit.at(-1) ?? '0', output: output.map((line) => `${line}\n`).join('') };
}
