import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { addSilence } from '../../../src/cli/silences.js';
import { temporaryFolder } from '../../support/process.js';
import { startTestRedis } from '../../support/redis.js';
import type { TestRedis } from '../../support/redis.js';
import { openShards } from '../../../src/queues/shards.js';

const RULES = `
channels:
  chat: { type: slack, url: "https://chat.example.org/hook", group_by: [site] }
rules:
  - id: new-macs
    on: device.enrolled
    do:
      - notify: { channel: chat, title: hello, labels: { team: it } }`;

let server: TestRedis;
let redis: Redis;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  server = await startTestRedis();
  redis = new Redis(server.url);
  folder = await temporaryFolder({ 'rules.yaml': RULES, 'empty.yaml': '' });
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
  await folder.remove();
});

const add = (match: string[], file = 'rules.yaml'): Promise<string> =>
  addSilence(openShards(redis), { RULES_PATH: `${folder.path}/${file}` }, match, '1h', '');

test.each(['rule=new-macs', 'rule=NEW-*', 'device_name=lab-*', 'team=it', 'site=berlin', 'service=failed'])(
  '%s is accepted without a warning',
  async (match) => {
    expect(await add([match])).toMatch(/^silence \w+: no alerts for [^\n]+$/);
  },
);

test('a label that no alert can have is an error', async () => {
  await redis.flushall();
  await expect(add(['rul=new-macs'])).rejects.toMatchObject({
    lines: ['there is no label "rul"; did you mean "rule"? [alert/unknown-label]'],
  });
  await expect(add(['something_else=x'])).rejects.toMatchObject({
    lines: [
      expect.stringMatching(
        /^there is no label "something_else" \(labels: channel, .*team, site\) \[alert\/unknown-label\]$/,
      ),
    ],
  });
  expect(await redis.keys('*')).toEqual([]);
});

test('an unknown rule causes a warning: another version may have it', async () => {
  expect(await add(['rule=new-mac'])).toMatch(
    /^silence .*\nwarning: no rule matches "new-mac"; did you mean "new-macs"\?$/,
  );
});

test('without rule files, only a likely typo is an error', async () => {
  for (const file of ['not-there.yaml', 'empty.yaml']) {
    await expect(add(['rul=x'], file)).rejects.toMatchObject({ lines: [expect.stringContaining('"rule"')] });
    expect(await add(['team=it', 'rule=x'], file)).toMatch(/\nwarning: .* label "team" is not checked$/);
  }
});
