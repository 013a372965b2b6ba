import type { Command } from 'commander';
import { z } from 'zod';
import { DEFAULT_ACCOUNT } from '../../config/accounts.js';
import type { CommandContext } from './command-context.js';
import { flags, JSON_OPTION, parseOptions, RULES_OPTION } from './options.js';
import { jsonText } from '../terminal.js';

/** `validate`, `explain`, `test`, `init`, `schema`. */
export function addRuleCommands(program: Command, { env, paint, print }: CommandContext): void {
  program
    .command('validate')
    .description('check rule files as the service does when it starts; exits with 1 on a problem')
    .argument('[path]', 'a rule file or a folder of rule files (RULES_PATH)')
    .option(...JSON_OPTION)
    .option('--ignore-env', 'accept ${env:NAME} when the variable is not set here')
    .option('--strict', 'treat warnings as problems')
    .option('--offline', 'do not check at SimpleMDM that what the rules name exists')
    .action(async (path: string | undefined, options: unknown) => {
      const { validateRules } = await import('../validate.js');
      const { valid, output } = await validateRules(env, { path, ...flags.parse(options) });
      print(output);
      if (!valid) process.exitCode = 1;
    });

  program
    .command('explain')
    .description('show what the rules would do with an event, and why; fetches facts and sends nothing')
    .requiredOption(
      '--event <event>',
      'a file with a webhook, the id of an event, or a type such as device.enrolled',
    )
    .option('--device <device>', 'the device of the event: SimpleMDM id or serial number')
    .option(...RULES_OPTION)
    .option('--account <account>', 'the account of the event (default)')
    .option('--at <time>', 'the time to use for the event, age(…) and until(…): 2026-01-31T08:00:00Z')
    .option(...JSON_OPTION)
    .action(async (options: unknown) => {
      const { explain, explainOptions } = await import('../explain.js');
      print(await explain(env, parseOptions(explainOptions, options), paint));
    });

  program
    .command('test')
    .description('run rule tests; fetches nothing and sends nothing; exits with 1 when a test fails')
    .argument('<path>', 'a file of rule tests or a folder of them (docs/guides/rule-tests.md)')
    .action(async (path: string) => {
      const { testRules } = await import('../rule-tests.js');
      const { failed, output } = await testRules(env, path);
      print(output);
      if (failed > 0) process.exitCode = 1;
    });

  program
    .command('init')
    .description('write a first rule file from the groups, scripts and enrollments of the account')
    .option('--out <file>', 'the file to write (prints the rules without it)')
    .option('--account <account>', 'the account', DEFAULT_ACCOUNT)
    .action(async (options: unknown) => {
      const parsed = z.object({ out: z.string().optional(), account: z.string() }).parse(options);
      const { initRules } = await import('../init.js');
      print(await initRules(env, parsed));
    });

  program
    .command('schema')
    .description('print the JSON Schema of rule files, for editors')
    .action(async () => {
      const [{ serviceVocabulary }, { rulesJsonSchema }] = await Promise.all([
        import('../../actions/service-vocabulary.js'),
        import('../../rules/json-schema.js'),
      ]);
      print(jsonText(rulesJsonSchema(serviceVocabulary(env, []))));
    });
}
