#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { z } from 'zod';
import { serviceVocabulary } from '../actions/service-vocabulary.js';
import { DEFAULT_ACCOUNT } from '../config/accounts.js';
import { loadEnvFile } from '../config/env-file.js';
import { OperatorError } from '../config/operator-error.js';
import { rulesJsonSchema } from '../rules/json-schema.js';
import { readSettings } from '../config/settings.js';
import { dropAlerts, listAlerts, retryAlerts } from './alerts.js';
import { listChannels, testChannel } from './channels.js';
import { explain, explainOptions } from './explain.js';
import { dropHeld, listHeld, releaseHeld } from './held.js';
import { listEvents, replayEvent, showEvent } from './events.js';
import { initRules } from './init.js';
import { withRedis } from './with-redis.js';
import { testRules } from './rule-tests.js';
import { listSchedules, runSchedule } from './schedules.js';
import { serve } from './serve.js';
import { addSilence, listSilences, removeSilence } from './silences.js';
import { paintFor } from './terminal.js';
import { validateRules } from './validate.js';

function packageVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

const paint = paintFor(process.stdout, process.env);
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const accountOption = z.object({ account: z.string() });
const flag = z.boolean().default(false);
const flags = z.object({ json: flag, everything: flag, ignoreEnv: flag, offline: flag, strict: flag });
const rulesOption = z.object({ rules: z.string().optional() });

const program = new Command('mdm-reflex')
  .description(
    'Acts on SimpleMDM webhooks by rules. Settings come from the environment; a .env file is read.',
  )
  .version(packageVersion())
  .showHelpAfterError('(add --help for usage)');

program
  .command('serve')
  .description(
    'run everything in one process: receiver, workers, and a private Redis unless REDIS_URL is set',
  )
  .action(() => serve(['receiver', 'worker'], process.env));

program
  .command('receiver')
  .description('run only the receiver: takes webhooks into the queue (needs REDIS_URL)')
  .action(() => serve(['receiver'], process.env));

program
  .command('worker')
  .description('run only the workers: look up, match rules, act (needs REDIS_URL)')
  .action(() => serve(['worker'], process.env));

program
  .command('validate')
  .description('check rule files as the start of the service would; ends with 1 when something is wrong')
  .argument('[path]', 'a rule file or a folder of rule files (RULES_PATH)')
  .option('--json', 'print JSON')
  .option('--ignore-env', 'let ${env:NAME} name variables that are not set here')
  .option('--strict', 'let what is only probably a mistake count as one')
  .option('--offline', 'do not ask SimpleMDM whether what the rules refer to is there')
  .action(async (path: string | undefined, options: unknown) => {
    const { valid, output } = await validateRules(process.env, { path, ...flags.parse(options) });
    print(output);
    if (!valid) process.exitCode = 1;
  });

program
  .command('explain')
  .description('say what the rules would do with an event, and why; facts are looked up, nothing is sent')
  .requiredOption(
    '--event <event>',
    'a file with a webhook, the id of an event, or a type such as device.enrolled',
  )
  .option('--device <device>', 'the device of the event, by its SimpleMDM id or its serial number')
  .option('--rules <path>', 'a rule file or a folder of rule files (RULES_PATH)')
  .option('--account <account>', 'the account of the event (default)')
  .option('--at <time>', 'what time it is: for age(…), until(…) and the event, such as 2026-01-31T08:00:00Z')
  .option('--json', 'print JSON')
  .action(async (options: unknown) => {
    const parsed = explainOptions.safeParse(options);
    if (!parsed.success) {
      throw new OperatorError(
        parsed.error.issues.map((issue) => `--${issue.path.join('.')}: ${issue.message}`),
      );
    }
    print(await explain(process.env, parsed.data, paint));
  });

program
  .command('test')
  .description('run tests of rules; nothing is looked up and nothing is sent; ends with 1 when one fails')
  .argument('<path>', 'a file of tests or a folder of them (docs/rule-tests.md)')
  .action(async (path: string) => {
    const { failed, output } = await testRules(process.env, path);
    print(output);
    if (failed > 0) process.exitCode = 1;
  });

program
  .command('init')
  .description('write a first rule file from the groups, scripts and enrollments of your account')
  .option('--out <file>', 'where to write it; printed when left out')
  .option('--account <account>', 'the account', DEFAULT_ACCOUNT)
  .action(async (options: unknown) => {
    const parsed = z.object({ out: z.string().optional(), account: z.string() }).parse(options);
    print(await initRules(process.env, parsed));
  });

const channels = program.command('channels').description('the channels that people are told by');

channels
  .command('list')
  .description('list the channels of the rule files')
  .option('--rules <path>', 'a rule file or a folder of rule files (RULES_PATH)')
  .action(async (options: unknown) => {
    print(await listChannels(process.env, rulesOption.parse(options).rules));
  });

channels
  .command('test')
  .description('send a test message and say what the other side answered')
  .argument('<name>', 'the name of the channel')
  .option('--rules <path>', 'a rule file or a folder of rule files (RULES_PATH)')
  .action(async (name: string, options: unknown) => {
    const { PUBLIC_URL: consoleUrl } = readSettings(process.env, []);
    print(await testChannel(process.env, rulesOption.parse(options).rules, name, consoleUrl));
  });

const alerts = program.command('alerts').description('messages to people that wait or were not delivered');

alerts
  .command('list')
  .description('list them')
  .option('--json', 'print JSON')
  .action(async (options: unknown) => {
    const { json } = flags.parse(options);
    print(await withRedis(process.env, (redis) => listAlerts(redis, json)));
  });

alerts
  .command('retry')
  .description('send a message again that was not delivered')
  .argument('<id>', 'the id of the message, or "all"')
  .action(async (id: string) => print(await withRedis(process.env, (redis) => retryAlerts(redis, id))));

alerts
  .command('drop')
  .description('give up a message that was not delivered')
  .argument('<id>', 'the id of the message')
  .action(async (id: string) => print(await withRedis(process.env, (redis) => dropAlerts(redis, id))));

const silence = program.command('silence').description('keep quiet about some alerts for a while');

silence
  .command('add')
  .description('keep quiet about what fits all of it')
  .requiredOption('--match <label=pattern...>', 'such as rule=new-macs or "device_name=lab-*"')
  .option('--for <time>', 'how long, such as 30m, 4h or 7d', '4h')
  .option('--comment <text>', 'why', '')
  .action(async (options: unknown) => {
    const given = z
      .object({ match: z.array(z.string()), for: z.string(), comment: z.string() })
      .parse(options);
    print(
      await withRedis(process.env, (redis) =>
        addSilence(redis, process.env, given.match, given.for, given.comment),
      ),
    );
  });

silence
  .command('list')
  .description('list the silences')
  .option('--json', 'print JSON')
  .action(async (options: unknown) => {
    const { json } = flags.parse(options);
    print(await withRedis(process.env, (redis) => listSilences(redis, json)));
  });

silence
  .command('remove')
  .description('end a silence')
  .argument('<id>', 'the id of the silence')
  .action(async (id: string) => print(await withRedis(process.env, (redis) => removeSilence(redis, id))));

const schedules = program
  .command('schedules')
  .description('list the rules that run by the clock, when they do next and when they did last')
  .option('--json', 'print JSON')
  .action(async (options: unknown) => {
    const { json } = flags.parse(options);
    print(await withRedis(process.env, (redis, settings) => listSchedules(redis, settings, json)));
  });

schedules
  .command('run')
  .description('make the time of a rule come now, beside those of its schedule')
  .argument('<rule>', 'the id of the rule')
  .action(async (rule: string) =>
    print(await withRedis(process.env, (redis, settings) => runSchedule(redis, settings, rule))),
  );

program
  .command('schema')
  .description('print the JSON Schema of rule files, for editors')
  .action(() => print(JSON.stringify(rulesJsonSchema(serviceVocabulary(process.env, [])), undefined, 2)));

const held = program
  .command('held')
  .description('rules whose runs wait for a person, since there were too many');

held
  .command('list')
  .description('list them')
  .option('--json', 'print JSON')
  .action(async (options: unknown) => {
    const { json } = flags.parse(options);
    print(await withRedis(process.env, (redis) => listHeld(redis, json)));
  });

for (const [name, about, act] of [
  ['release', 'let the runs of a rule go on', releaseHeld],
  ['drop', 'drop the runs of a rule that wait', dropHeld],
] as const) {
  held
    .command(name)
    .description(about)
    .argument('<rule>', 'the id of the rule')
    .option('--account <account>', 'the account', DEFAULT_ACCOUNT)
    .action(async (rule: string, options: unknown) => {
      const { account } = accountOption.parse(options);
      print(await withRedis(process.env, (redis) => act(redis, account, rule)));
    });
}

const events = program
  .command('events')
  .description('list the newest events')
  .option('--type <type>', 'only this event type; a pattern such as "device.*" works')
  .option('--device <device>', 'only this device, by SimpleMDM id or serial number')
  .option('--rule <rule>', 'only events for which this rule ran')
  .option('--account <account>', 'only this account')
  .option('--status <status>', 'only: queued, processing, waiting, completed, failed, no_match')
  .option('--since <time>', 'only events received since, such as 2d, 1h or 2026-01-31T08:00:00Z')
  .option('--limit <count>', 'how many, 1 to 100 (20)')
  .option('--cursor <cursor>', 'go on where an earlier list ended')
  .option('--json', 'print JSON')
  .action(async (options: unknown) =>
    print(await withRedis(process.env, (redis) => listEvents(redis, options, paint))),
  );

events
  .command('show')
  .description('show the trace of an event: what was looked up, which rules matched and why, what was done')
  .argument('<id>', 'the id of the event, or its first characters')
  .action(async (id: string, _options: unknown, command: Command) => {
    const { json } = flags.parse(command.optsWithGlobals());
    print(await withRedis(process.env, (redis) => showEvent(redis, id, json, paint)));
  });

events
  .command('replay')
  .description('go on with what failed for an event, where it failed')
  .argument('<id>', 'the id of the event, or its first characters')
  .option('--everything', 'take the event once more as a new one, even what succeeded')
  .action(async (id: string, options: unknown) => {
    const { everything } = flags.parse(options);
    print(await withRedis(process.env, (redis, settings) => replayEvent(redis, settings, id, everything)));
  });

try {
  loadEnvFile('.env');
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof OperatorError)) throw error;
  process.stderr.write(`${error.lines.map((line) => `mdm-reflex: ${line}`).join('\n')}\n`);
  process.exitCode = 78;
  // A half-started service must not linger on open handles.
  process.exit();
}
