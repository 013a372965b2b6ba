import { created, noContent, notFound, unprocessable, type ApiResponse } from '../api/response.js';
import { page } from '../api/paging.js';
import { idsParam, textParam } from '../api/params.js';
import type { Call, Route } from '../api/route.js';
import type { Device } from '../fleet/device.js';
import type { Fleet, ScriptJob, ScriptJobDevice } from '../fleet/fleet.js';
import { cancelScriptJob, runScriptLater } from '../scenarios/run-script.js';
import { retrieve, withRecord } from './retrieve.js';

/** The calls of the reference's section Script Jobs. */
export function scriptJobRoutes(fleet: Fleet): Route[] {
  const jobs = fleet.scriptJobs;
  return [
    { method: 'GET', path: '/script_jobs', handle: (call) => page(call, jobs.values(), listedJobRecord) },
    { method: 'POST', path: '/script_jobs', handle: (call) => createJob(fleet, call) },
    { method: 'GET', path: '/script_jobs/:id', handle: (call) => retrieve(call, jobs, scriptJobRecord) },
    {
      method: 'DELETE',
      path: '/script_jobs/:id',
      handle: (call) =>
        withRecord(call, jobs, (job) =>
          cancelScriptJob(fleet, job)
            ? noContent()
            : unprocessable('a job can be cancelled only before the device has received it'),
        ),
    },
  ];
}

function createJob(fleet: Fleet, call: Call): ApiResponse {
  const scriptId = textParam(call.params, 'script_id');
  if (scriptId === undefined) return unprocessable('script_id is required');
  const script = fleet.scripts.get(Number(scriptId));
  if (script === undefined) return notFound();

  const deviceIds = idsParam(call.params, 'device_ids');
  const groupIds = idsParam(call.params, 'group_ids');
  const assignmentGroupIds = idsParam(call.params, 'assignment_group_ids');
  if (deviceIds === 'malformed' || groupIds === 'malformed' || assignmentGroupIds === 'malformed') {
    return unprocessable('ids must be a comma separated list of numbers');
  }
  if (deviceIds === undefined && groupIds === undefined && assignmentGroupIds === undefined) {
    return unprocessable('at least one of device_ids, group_ids, or assignment_group_ids must be provided');
  }

  const inAssignmentGroups = (assignmentGroupIds ?? []).flatMap((id) => fleet.assignmentGroups.get(id) ?? []);
  const wantedDevices = new Set([
    ...(deviceIds ?? []),
    ...inAssignmentGroups.flatMap((group) => [...group.deviceIds]),
  ]);
  const wantedGroups = new Set([
    ...(groupIds ?? []),
    ...inAssignmentGroups.flatMap((group) => [...group.deviceGroupIds]),
  ]);
  const candidates =
    wantedGroups.size > 0
      ? fleet.devices.values()
      : [...wantedDevices].sort((a, b) => a - b).flatMap((id) => fleet.devices.get(id) ?? []);
  const targets: number[] = [];
  for (const device of candidates) {
    const wanted = wantedDevices.has(device.id) || wantedGroups.has(device.groupId);
    if (wanted && runsScripts(device)) targets.push(device.id);
  }
  if (targets.length === 0) return unprocessable('no macOS devices were found to run the script on');
  const storeIn = storage(fleet, call);
  if (storeIn === 'invalid') return unprocessable('custom_attribute or custom_attribute_regex is invalid');
  const jobName = textParam(call.params, 'job_name');
  const job = runScriptLater(fleet, script, targets, {
    ...(storeIn && { storeIn }),
    ...(jobName !== undefined && { jobName }),
  });
  return created({ data: scriptJobRecord(job) });
}

/** The attribute for the output, and the regular expression that cleans the output (API 1.51). */
function storage(fleet: Fleet, call: Call): ScriptJob['storeIn'] | 'invalid' {
  const attribute = textParam(call.params, 'custom_attribute');
  if (attribute === undefined) return undefined;
  const known = fleet.customAttributes.get(attribute);
  const regex = call.params['custom_attribute_regex'] ?? '';
  if (known === undefined || typeof regex !== 'string' || !isRegularExpression(regex)) return 'invalid';
  return { attribute: known.id, regex };
}

function isRegularExpression(source: string): boolean {
  try {
    return new RegExp(source).source !== '';
  } catch {
    return false;
  }
}

function runsScripts({ platform, attributes }: Device): boolean {
  return platform === 'macOS' && attributes.status === 'enrolled';
}

export type ScriptJobRecord = ReturnType<typeof scriptJobRecord>;

/** The API record of a job, with the result of each device (reference: Script Jobs, Retrieve one). */
export function scriptJobRecord(job: ScriptJob) {
  return jobRecord(job, ({ id, status, status_code, response }) => ({ id, status, status_code, response }));
}

/** In lists: the status of each device, without its output. */
function listedJobRecord(job: ScriptJob) {
  return jobRecord(job, ({ id, status }) => ({ id, status }));
}

function jobRecord<T extends object>(
  { id, devices, ...job }: ScriptJob,
  showDevice: (device: ScriptJobDevice) => T,
) {
  const count = (wanted: ScriptJobDevice['status']) =>
    devices.filter(({ status }) => status === wanted).length;
  const {
    script_name,
    job_name,
    storeIn,
    content,
    job_id,
    variable_support,
    status,
    created_by,
    created_at,
    updated_at,
  } = job;
  return {
    type: 'script_job',
    id,
    attributes: {
      script_name,
      job_name,
      content,
      job_id,
      variable_support,
      status,
      pending_count: count('pending'),
      success_count: count('completed'),
      errored_count: count('error'),
      ...(storeIn && { custom_attribute_regex: storeIn.regex }),
      created_by,
      created_at,
      updated_at,
    },
    relationships: {
      device: { data: devices.map((device) => ({ type: 'device', ...showDevice(device) })) },
      ...(storeIn && {
        custom_attribute: { data: { type: 'custom_attribute', id: storeIn.attribute } },
      }),
    },
  };
}
