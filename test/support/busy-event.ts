import type { Redis } from 'ioredis';
import { openJournal } from '../../src/journal/journal.js';
import type { RunTrace } from '../../src/journal/trace.js';
import { singleShard } from '../../src/queues/shards.js';

/** An event as a busy fleet makes it: one run failed, one waits, one was replaced, one went over a list; many rules said no. */
export async function recordBusyEvent(client: Redis): Promise<void> {
  const journal = openJournal(
    singleShard(client),
    { repeatWindowDays: 1, deadLetterDays: 1 },
    (text) => text,
  );
  const id = 'ab'.repeat(32);
  const now = new Date().toISOString();
  await journal.recordReceived([
    {
      id,
      account: 'default',
      type: 'device.custom_attribute_value.changed',
      at: '2021-02-03T04:05:06Z',
      receivedAt: now,
      source: 'webhook',
      data: { device: { id: 121, serial_number: 'C02ABCDEFGH1' } },
    },
  ]);
  await journal.recordProcessing(id, { state: 'completed', attempts: 1, at: now });
  const call = {
    account: 'default',
    method: 'GET',
    path: '/devices/121',
    route: '/x',
    durationMs: 5,
    status: 200,
  };
  for (const name of ['device', 'group', 'attributes', 'apps']) {
    await journal.recordFact(id, name, {
      status: 'found',
      value: { name: 'Ada’s MacBook' },
      fetchedAt: now,
      durationMs: 5,
      calls: [call, { ...call, path: `/devices/121/${name}` }],
    });
  }
  const step = { attempts: 1, calls: [], startedAt: now, finishedAt: now };
  const post = { ...call, method: 'POST', path: 'https://tickets.example.org/api/v2/issues' };
  const runs: RunTrace[] = [
    {
      rule: 'open-a-ticket',
      status: 'failed',
      plannedAt: now,
      reason: 'step 1 (http_request): tickets.example.org answered 422',
      steps: [
        {
          ...step,
          action: 'http_request',
          status: 'failed',
          reason: 'answered 422',
          calls: [{ ...post, status: 422 }],
        },
        { action: 'notify', status: 'pending', attempts: 0, calls: [] },
      ],
    },
    {
      rule: 'greet-tablets',
      status: 'waiting',
      plannedAt: now,
      reason: 'the rule is held: too many',
      steps: [{ action: 'notify', status: 'pending', attempts: 0, calls: [] }],
    },
    {
      rule: 'install',
      status: 'completed',
      plannedAt: now,
      steps: [
        {
          ...step,
          action: 'install_app',
          status: 'completed',
          items: ['Xcode', 'Slack', 'Zoom', 'Figma', 'Notion', 'Word', 'Excel'],
          itemRecords: Array.from({ length: 7 }, () => ({
            ...step,
            action: 'install_app',
            status: 'completed' as const,
          })),
          output: { count: 7, items: [{ status: 'completed' }] },
        },
        { ...step, action: 'notify', status: 'completed', output: { title: 'Apps are on their way' } },
      ],
    },
  ];
  for (const run of runs) await journal.recordRun(id, run);
  const decision = { verdict: 'not_matched' as const, reason: 'device.platform is "macOS"', decidedAt: now };
  await journal.recordDecisions(id, [
    ...runs.map(({ rule }) => ({ ...decision, rule, verdict: 'matched' as const })),
    ...Array.from({ length: 12 }, (_, number) => ({ ...decision, rule: `other-${number}` })),
  ]);
  await journal.recordAlerts([
    {
      event: id,
      account: 'default',
      id: `${id}.install.1`,
      channel: 'it-chat',
      title: 'Apps are on their way',
      status: 'sent',
      at: now,
    },
  ]);
}
