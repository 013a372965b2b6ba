import { z } from 'zod';
import { fetchRecord, listOf, send } from './resource.js';
import type { Transport } from './transport.js';
import { flagField, numberField, textField } from './field-types.js';

const scriptJob = z.looseObject({
  type: textField,
  id: z.int(),
  attributes: z.looseObject({
    script_name: textField,
    job_name: textField,
    content: textField,
    job_id: textField,
    variable_support: flagField,
    /** `pending`, `completed`, `completed-with-errors`, `cancelled`. */
    status: textField,
    pending_count: numberField,
    success_count: numberField,
    errored_count: numberField,
    /** What is cut out of the output before it is stored; only in jobs with a custom attribute. */
    custom_attribute_regex: textField,
    created_by: textField,
    created_at: textField,
    updated_at: textField,
  }),
  relationships: z
    .looseObject({
      device: z
        .looseObject({
          data: z
            .array(
              z.looseObject({
                id: z.int(),
                /** `pending`, `completed`, `error`, `cancelled`. */
                status: textField,
                /** The exit code, as a string. Lists leave out the exit code and the output. */
                status_code: textField,
                response: textField,
              }),
            )
            .nullish(),
        })
        .nullish(),
      /** The custom attribute that stores the output; only in jobs with one. */
      custom_attribute: z
        .looseObject({ data: z.looseObject({ type: textField, id: textField }).nullish() })
        .nullish(),
    })
    .nullish(),
});

/** A run of a script on some devices. */
export type ScriptJob = z.output<typeof scriptJob>;

/** A new job. At least one of the three lists of ids is required. */
export interface NewScriptJob {
  readonly scriptId: number;
  readonly deviceIds?: readonly number[];
  /** All Macs of these device groups. */
  readonly groupIds?: readonly number[];
  /** All Macs of these assignment groups. */
  readonly assignmentGroupIds?: readonly number[];
  /** The custom attribute that stores the output (API 1.51). */
  readonly customAttribute?: string;
  /** Cut out of the output before it is stored; `\n` is recommended (API 1.51). */
  readonly customAttributeRegex?: string;
  /** `API Job` by default (API 1.51). */
  readonly jobName?: string;
}

const LIST = { route: '/script_jobs' };

/** API reference, section Script Jobs. Not part of every subscription. */
export function createScriptJobs(transport: Transport) {
  const routeTo = (scriptJobId: number) => ({
    route: '/script_jobs/{SCRIPT_JOB_ID}',
    params: { SCRIPT_JOB_ID: scriptJobId },
  });
  return {
    /** List all: `GET /script_jobs`. Jobs stay in the list for one month. */
    ...listOf(transport, scriptJob, () => LIST),

    /** Retrieve one: `GET /script_jobs/{SCRIPT_JOB_ID}`, with the output of each device that has responded. */
    retrieve: (scriptJobId: number): Promise<ScriptJob> =>
      fetchRecord(transport, { method: 'GET', ...routeTo(scriptJobId) }, scriptJob),

    /**
     * Create: `POST /script_jobs`. Not idempotent: every call starts a job. macOS only.
     *
     * @throws SimpleMdmError 422 when no target is a Mac, 404 when the script does not exist.
     */
    create: (job: NewScriptJob): Promise<ScriptJob> =>
      fetchRecord(
        transport,
        {
          method: 'POST',
          ...LIST,
          body: {
            script_id: job.scriptId,
            device_ids: job.deviceIds?.join(','),
            group_ids: job.groupIds?.join(','),
            assignment_group_ids: job.assignmentGroupIds?.join(','),
            custom_attribute: job.customAttribute,
            custom_attribute_regex: job.customAttributeRegex,
            job_name: job.jobName,
          },
        },
        scriptJob,
      ),

    /**
     * Cancel Job: `DELETE /script_jobs/{SCRIPT_JOB_ID}`.
     *
     * @throws SimpleMdmError 422 when a device has already received the job.
     */
    cancel: (scriptJobId: number): Promise<number> =>
      send(transport, { method: 'DELETE', ...routeTo(scriptJobId) }),
  };
}
