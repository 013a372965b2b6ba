import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { addSilence } from '../../../src/cli/silences.js';
import { temporaryFolder } from '../../support/process.js';
import { startTestRedis } from '../../support/redis.js';
import type { TestRedis } from '../../support/redis.js';

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
  addSilence(redis, { RULES_PATH: `${folder.path}/${file}` }, match, '1h', '');

test.each(['rule=new-macs', 'rule=NEW-*', 'device_name=lab-*', 'team=it', 'site=berlin', 'service=failed'])(
  '%s is taken as it is',
  async (match) => {
    expect(await add([match])).toMatch(/^silence \w+: nobody is told of [^\n]+$/);
  },
);

test('a label that no alert can have is refused, and nothing is silenced', async () => {
  await redis.flushall();
  await expect(add(['rul=new-macs'])).rejects.toMatchObject({
    lines: ['there is no label "rul"; did you mean "rule"?'],
  });
  await expect(add(['something_else=x'])).rejects.toMatchObject({
    lines: [
      expect.stringMatching(/^there is no label "something_else" \(there are channel, .*team, site\)$/),
    ],
  });
  expect(await redis.keys('*')).toEqual([]);
});

test('a rule that there is not is told, and silenced nevertheless: it may be of another version', async () => {
  expect(await add(['rule=new-mac'])).toMatch(
    /^silence .*\nwarning: no rule of the files is called "new-mac"; did you mean "new-macs"\?$/,
  );
});

test('where the rule files are not, only what looks like a slip is refused', async () => {
  for (const file of ['not-there.yaml', 'empty.yaml']) {
    await expect(add(['rul=x'], file)).rejects.toMatchObject({ lines: [expect.stringContaining('"rule"')] });
    expect(await add(['team=it', 'rule=x'], file)).toMatch(/\nwarning: .* label "team" is not known$/);
  }
});
