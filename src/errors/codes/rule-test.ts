import type { ErrorDefinitions } from '../error-definition.js';

/** Rule tests. */
export const RULE_TEST_ERRORS = {
  'rule-test/unreadable': {
    meaning: 'No test file can be read at the path.',
    cause: 'The path does not exist, or the folder holds no .yaml file.',
    fix: 'Name a test file or a folder of test files.',
  },
  'rule-test/not-a-test-file': {
    meaning: 'The file holds rules, not tests.',
    cause: 'The argument of `mdm-reflex test` names a rule file.',
    fix: 'Check rules with `mdm-reflex validate`. docs/guides/rule-tests.md describes test files.',
  },
  'rule-test/unknown-rule': {
    meaning: 'A test expects a rule that does not exist.',
    cause: 'A typo, or `rules:` names another file.',
    fix: 'Use the id of a rule in the tested files.',
  },
  'rule-test/unknown-step': {
    meaning: 'A test gives the result of a step, or an output of a step, that does not exist.',
    cause: 'A typo, or a step without an id.',
    fix: 'Use the `id` of a step and the outputs of its action.',
  },
  'rule-test/invalid-fact': {
    meaning: 'A test gives a fact that does not exist, or a value that the fact never has.',
    cause: 'A typo.',
    fix: 'Use the facts and fields of docs/rules.md.',
  },
} as const satisfies ErrorDefinitions;
