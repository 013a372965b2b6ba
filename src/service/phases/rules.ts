import { serviceVocabulary } from '../../actions/service-vocabulary.js';
import { withoutText } from '../../rules/model/problem.js';
import { secretsOf } from '../../rules/model/rule-secrets.js';
import type { Vocabulary } from '../../rules/model/vocabulary.js';
import type { EnvReload } from '../env-reload.js';
import { openLiveRules } from '../live-rules.js';
import type { LiveRules } from '../live-rules.js';
import type { ServiceContext } from './settings.js';

/** The live rules, and the hooks that connect them to the workers, which start later. */
export interface LoadedLiveRules {
  readonly rules: LiveRules;
  /** Connects the workers. Until then, changed rules have no effect on workers, and references are not checked. */
  readonly connect: (workers: RuleConsumers) => void;
}

/** What depends on the live rules. */
export interface RuleConsumers {
  /** Called when the live rules have changed. */
  readonly rulesChanged: () => void;
  /** What the accounts have that rules can refer to; undefined when SimpleMDM cannot be asked now. */
  readonly catalogs: () => Promise<Vocabulary['catalogs']>;
}

/**
 * Phase 2: loads the rule files and watches them. Only a worker has rules.
 *
 * @returns Undefined for a process without the role `worker`.
 * @throws OperatorError with every problem of every file.
 */
export async function loadLiveRules(
  context: ServiceContext,
  envReload: EnvReload | undefined,
): Promise<LoadedLiveRules | undefined> {
  const { roles, settings, env, accounts, redaction, metrics, logger } = context;
  if (!roles.includes('worker')) return undefined;
  let consumers: RuleConsumers | undefined;
  const rules = await openLiveRules({
    path: settings.RULES_PATH,
    ...(envReload && { envReload }),
    vocabulary: serviceVocabulary(env, accounts.keys()),
    catalogs: async () => consumers?.catalogs(),
    onRules: (loaded, first) => {
      const count = loaded.rules.length;
      redaction.add(secretsOf(loaded, env));
      metrics.rules.set(count);
      metrics.ruleProblems.set(0);
      if (loaded.warnings.length > 0) {
        logger.warn(
          { code: 'service/rule-file-warnings', warnings: loaded.warnings.map(withoutText) },
          'the rule files contain probable mistakes',
        );
      }
      if (first) return;
      logger.info({ rules: count }, 'the changed rules are live');
      // The rules become live right after this call.
      setImmediate(() => consumers?.rulesChanged());
    },
    onReferenceProblems: (problems) => {
      metrics.ruleProblems.set(problems.length);
      if (problems.length === 0) logger.info('everything that the rules refer to exists in SimpleMDM now');
      else
        logger.error(
          { code: 'service/missing-references', problems: problems.map(withoutText) },
          'rules refer to things that do not exist in SimpleMDM: those steps will fail',
        );
    },
    onProblems: (problems) => {
      metrics.ruleProblems.set(problems.length);
      logger.error(
        { code: 'service/invalid-rule-files', problems: problems.map(withoutText) },
        'the changed rule files have problems: the previous rules stay live',
      );
    },
  });
  if (rules.current().length === 0) {
    logger.warn(
      { code: 'service/no-rules', path: settings.RULES_PATH },
      'RULES_PATH contains no rules: the service records events and does nothing else',
    );
  }
  return { rules, connect: (workers) => (consumers = workers) };
}
