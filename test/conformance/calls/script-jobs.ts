import { expect } from '@jest/globals';
import { all } from './call-test.js';
import type { CallTest, World } from './call-test.js';

const nowhere = 999_999;
const hello = 32;

async function scriptThat({ api }: World, content: string): Promise<number> {
  const file = new File([`#!/bin/sh\n${content}\n`], 'script.sh');
  return (await api.scripts.create({ name: 'mine', file })).id;
}

export const scriptJobs: readonly CallTest[] = [
  {
    call: 'GET /script_jobs',
    client: 'scriptJobs.list',
    shows: 'all jobs, without output',
    run: async ({ api }) => {
      const job = await api.scriptJobs.create({ scriptId: hello, deviceIds: [54] });
      const [listed] = await all(api.scriptJobs.list());
      expect(listed?.id).toBe(job.id);
      expect(listed?.attributes.job_name).toBe('API Job');
      expect(listed?.relationships?.device?.data).toEqual([{ type: 'device', id: 54, status: 'pending' }]);
      expect((await api.scriptJobs.listPage()).data).toHaveLength(1);
    },
  },
  {
    call: 'GET /script_jobs/{SCRIPT_JOB_ID}',
    client: 'scriptJobs.retrieve',
    shows: 'a job changes from pending to completed or completed-with-errors, with the output of each device',
    run: async (world) => {
      const { api, later } = world;
      const good = await api.scriptJobs.create({ scriptId: hello, deviceIds: [54, 56] });
      const scriptId = await scriptThat(world, 'echo "no"\nexit 3');
      const bad = await api.scriptJobs.create({ scriptId, deviceIds: [54] });
      later();
      expect(await api.scriptJobs.retrieve(good.id)).toMatchObject({
        attributes: { status: 'completed', success_count: 2, pending_count: 0 },
        relationships: {
          device: { data: [{ status_code: '0', response: 'Hello!\n' }, { status: 'completed' }] },
        },
      });
      expect(await api.scriptJobs.retrieve(bad.id)).toMatchObject({
        attributes: { status: 'completed-with-errors', errored_count: 1 },
        relationships: { device: { data: [{ status: 'error', status_code: '3', response: 'no\n' }] } },
      });
    },
    refuses: [{ when: 'it does not exist', status: 404, run: ({ api }) => api.scriptJobs.retrieve(nowhere) }],
  },
  {
    call: 'POST /script_jobs',
    client: 'scriptJobs.create',
    shows: 'targets the Macs among devices, groups and assignment groups; can store the output',
    run: async (world) => {
      const { api, later } = world;
      const targets = (job: Awaited<ReturnType<typeof api.scriptJobs.create>>) =>
        job.relationships?.device?.data?.map(({ id }) => id);
      expect(targets(await api.scriptJobs.create({ scriptId: hello, deviceIds: [54, 121] }))).toEqual([54]);
      expect(targets(await api.scriptJobs.create({ scriptId: hello, groupIds: [1, 41] }))).toEqual([54, 56]);
      const named = await api.scriptJobs.create({
        scriptId: await scriptThat(world, 'echo "version"\necho "12.3"'),
        assignmentGroupIds: [26],
        // Names of custom attributes are case insensitive.
        customAttribute: 'Department',
        customAttributeRegex: 'version|\\n',
        jobName: 'Read the version',
      });
      expect(targets(named)).toEqual([54]);
      expect(named.attributes).toMatchObject({
        job_name: 'Read the version',
        custom_attribute_regex: 'version|\\n',
      });
      expect(named.relationships?.custom_attribute?.data).toEqual({
        type: 'custom_attribute',
        id: 'department',
      });
      later();
      const values = await api.customAttributes.getValuesForDevice(54);
      expect(values.find(({ id }) => id === 'department')?.attributes.value).toBe('12.3');
    },
    refuses: [
      {
        when: 'targets are missing',
        status: 422,
        run: ({ api }) => api.scriptJobs.create({ scriptId: hello }),
      },
      {
        when: 'no target is a Mac',
        status: 422,
        run: ({ api }) => api.scriptJobs.create({ scriptId: hello, deviceIds: [121] }),
      },
      {
        when: 'the script does not exist',
        status: 404,
        run: ({ api }) => api.scriptJobs.create({ scriptId: nowhere, deviceIds: [54] }),
      },
    ],
  },
  {
    call: 'DELETE /script_jobs/{SCRIPT_JOB_ID}',
    client: 'scriptJobs.cancel',
    shows: 'cancels the job, which stays readable',
    run: async ({ api, later }) => {
      const { id } = await api.scriptJobs.create({ scriptId: hello, deviceIds: [54] });
      expect(await api.scriptJobs.cancel(id)).toBe(204);
      later();
      expect(await api.scriptJobs.retrieve(id)).toMatchObject({
        attributes: { status: 'cancelled' },
        relationships: { device: { data: [{ status: 'cancelled', response: null }] } },
      });
    },
    refuses: [
      {
        when: 'the job has run',
        status: 422,
        run: async ({ api, later }) => {
          const { id } = await api.scriptJobs.create({ scriptId: hello, deviceIds: [54] });
          later();
          return api.scriptJobs.cancel(id);
        },
      },
      { when: 'it does not exist', status: 404, run: ({ api }) => api.scriptJobs.cancel(nowhere) },
    ],
  },
];
