import { describe, expect, test } from '@jest/globals';
import { useSharedWorld } from '../../support/use-world.js';
import { until } from '../../support/until.js';

const RULES = `
rules:
  - id: laptops
    on: device.enrolled
    if: device.platform == "macOS"
    do:
      - assign_device_group: { group: Laptops }
      - run_script: { script: Say hi }
        id: hello
      - log: { message: "job {{ steps.hello.job_id }} on {{ device.name }}, {{ steps.hello.status }}" }
        if: steps.hello.status == "completed"
  - id: phones
    on: device.enrolled
    if: device.platform == "iOS"
    do:
      - run_script: { script: 31 }
      - assign_device_group: { group: "37" }
  - id: paused
    on: device.enrolled
    enabled: false
    do: [log: { message: never }]
  - id: invite
    on: abm.device.added
    do:
      - send_invitation: { enrollment: 6, contact: "{{ event.data.device.serial_number | downcase }}@example.org" }
  - id: gone
    on: device.unenrolled
    if: device == null
    do: [log: { message: "{{ event.data.device.serial_number }} is gone" }]
`;

describe('the main use case, end to end', () => {
  const world = useSharedWorld({ rules: RULES });

  test('an enrolled Mac is assigned to its group and runs the script, and the trace tells why', async () => {
    const mac = world.simulator.enroll({ kind: 'macbook', name: 'Ada' });
    const trace = await world.settled('device.enrolled');
    expect(trace.status).toBe('completed');
    expect(trace.decisions.map(({ rule, verdict, reason }) => ({ rule, verdict, reason }))).toEqual([
      { rule: 'laptops', verdict: 'matched', reason: 'device.platform == "macOS" is true' },
      {
        rule: 'phones',
        verdict: 'not_matched',
        reason: 'device.platform == "iOS" is not true: device.platform is "macOS"',
      },
      { rule: 'paused', verdict: 'disabled', reason: 'the rule is disabled (enabled: false)' },
    ]);
    const [run] = trace.runs;
    expect(run?.steps.map(({ action, status, attempts }) => ({ action, status, attempts }))).toEqual([
      { action: 'assign_device_group', status: 'completed', attempts: 1 },
      { action: 'run_script', status: 'completed', attempts: 1 },
      { action: 'log', status: 'completed', attempts: 1 },
    ]);
    expect(run?.steps[0]?.calls.at(-1)).toMatchObject({
      method: 'POST',
      path: `/device_groups/41/devices/${mac.id}`,
      status: 202,
    });
    const [job] = world.simulator.scriptJobs();
    expect(run?.steps[1]?.output).toMatchObject({ job_id: 341, script_id: 31, script_name: 'Say hi' });
    expect(job).toBeDefined();
    expect(run?.steps[2]?.output).toEqual({ message: 'job 341 on Ada, completed' });
    await until('the group change arrives at the simulator', () =>
      JSON.stringify(world.simulator.device(mac.id)).includes(
        '"device_group":{"data":{"type":"device_group","id":41}}',
      ),
    );
    expect(world.log()).toContain('job 341 on Ada, completed');
  });

  test('on a phone the script is skipped with the reason, and the run continues', async () => {
    const phone = world.simulator.enroll({ kind: 'iphone' });
    const trace = await until('the event of the phone has ended', async () => {
      const found = await world.settled('device.enrolled');
      return JSON.stringify(found.data).includes(phone.serialNumber) ? found : undefined;
    });
    const [run] = trace.runs;
    expect(run?.rule).toBe('phones');
    expect(run?.steps[0]).toMatchObject({
      status: 'skipped',
      reason: expect.stringContaining('scripts run on macOS only; this device is iOS'),
    });
    expect(run?.steps[1]).toMatchObject({
      status: 'completed',
      output: { group_id: 37, group_name: 'Remote Employees' },
    });
  });

  test('an invitation is sent to the contact from the template', async () => {
    const { serialNumber } = world.simulator.addToBusinessManager({});
    const trace = await world.settled('abm.device.added');
    expect(trace.status).toBe('completed');
    expect(world.simulator.invitations()).toEqual([
      expect.objectContaining({ enrollmentId: 6, contact: `${serialNumber.toLowerCase()}@example.org` }),
    ]);
  });

  test('a device that left is a missing fact, not a failure', async () => {
    world.simulator.unenroll(117);
    const trace = await world.settled('device.unenrolled');
    expect(trace.status).toBe('completed');
    expect(trace.facts['device']).toMatchObject({ status: 'missing', value: null });
    expect(trace.facts['device']?.calls).toEqual([
      expect.objectContaining({ path: '/devices/117', status: 404 }),
    ]);
  });

  test('the test event is recorded although no rule matches', async () => {
    world.simulator.sendTestEvent();
    expect(await world.settled('test_event')).toMatchObject({ status: 'no_match', decisions: [], runs: [] });
  });

  test('metrics count webhooks, API calls, verdicts and steps', async () => {
    const metrics = await (await fetch(`${world.service.url}/metrics`)).text();
    expect(metrics).toMatch(/mdm_reflex_webhooks_total\{type="device.enrolled",status="202"\} 2/);
    expect(metrics).toMatch(/mdm_reflex_rule_evaluations_total\{rule="laptops",verdict="matched"\} 1/);
    expect(metrics).toMatch(/mdm_reflex_steps_total\{action="run_script",status="skipped"\} 1/);
    expect(metrics).toMatch(
      /mdm_reflex_api_call_duration_seconds_count\{account="default",method="POST",route="\/script_jobs",status="201"\} 1/,
    );
    expect(metrics).toMatch(/mdm_reflex_job_duration_seconds_count\{queue="runs",outcome="completed"\} 4/);
    expect(metrics).toMatch(/mdm_reflex_queue_jobs\{queue="runs",state="failed"\} 0/);
    expect(metrics).toMatch(/mdm_reflex_job_duration_seconds_count\{queue="events",outcome="completed"\}/);
    expect(metrics).toContain('process_cpu_seconds_total');
  });
});
