import type { ErrorDefinitions } from '../error-definition.js';

/** Rule files and rule tests. */
export const RULE_ERRORS = {
  'rule/invalid-yaml': {
    meaning: 'The file is not valid YAML, so nothing in it was read.',
    cause: 'Wrong indentation, a tab, an open quote or bracket, or the same key twice.',
    fix: 'Fix the line that the message names. An editor with YAML support marks such lines.',
  },
  'rule/needs-quotes': {
    meaning: 'YAML reads an unquoted value as something other than text.',
    cause: 'The value starts with *, ! or {{, contains ": " or " #", or looks like a number.',
    fix: 'Put the whole value in single quotes. The message shows how.',
  },
  'rule/not-a-rule-file': {
    meaning: 'The file holds rule tests, not rules.',
    cause: 'RULES_PATH or the argument of `mdm-reflex validate` names a test file.',
    fix: 'Run the file with `mdm-reflex test`, and keep tests outside of RULES_PATH.',
  },
  'rule/no-rules': {
    meaning: 'A rule file or folder contains no rules.',
    cause: 'The file or folder is empty, or RULES_PATH names another one than you mean.',
    fix: 'Check RULES_PATH. `mdm-reflex init` writes a first rule file.',
  },
  'rule/unknown-key': {
    meaning: 'A key of a rule, a step, a channel or a test is not known.',
    cause: 'A typo, the name that another tool uses, or wrong indentation.',
    fix: 'Use the suggested key, or one from docs/rules.md or docs/guides/alerts.md.',
  },
  'rule/missing-key': {
    meaning: 'A required key or argument is missing.',
    cause: 'The key was left out, or its line is indented too little.',
    fix: 'Add the key that the message names.',
  },
  'rule/invalid-value': {
    meaning: 'A value does not have the expected form.',
    cause: 'Another type of value, or one that is not among the choices.',
    fix: 'Write what the message expects.',
  },
  'rule/invalid-schedule': {
    meaning: 'A schedule or its time zone is not valid.',
    cause: 'Not five cron fields, a value out of range, or a misspelled time zone.',
    fix: 'Write minute, hour, day of the month, month and day of the week, such as "0 8 * * 1-5".',
  },
  'rule/duplicate-id': {
    meaning: 'Two rules, two steps of a rule, or two channels have the same name.',
    cause: 'A rule was copied, or two files define the same one.',
    fix: 'Rename one of them.',
  },
  'rule/unknown-event-type': {
    meaning: 'An event type looks like a misspelled known type.',
    cause: 'A typo.',
    fix: 'Use the suggested type. For a new type with a similar name, write a pattern such as "device.enrol*".',
  },
  'rule/unknown-account': {
    meaning: 'A rule names an account that is not configured.',
    cause: 'A typo, or an account that is missing from ACCOUNTS_FILE.',
    fix: 'Use the name of a configured account.',
  },
  'rule/not-allowed': {
    meaning: 'A step cannot be undone, and the rule may not do that.',
    cause:
      'The rule lacks `allow: [destructive]`, the step has a `for_each`, or its approval has `on_timeout: proceed`.',
    fix: 'Add `allow: [destructive]` to the rule if you mean it. Remove the `for_each`, or write `on_timeout: drop`.',
  },
  'rule/misplaced-key': {
    meaning: 'A key of a rule cannot work together with its other keys.',
    cause:
      '`when` without a schedule over devices or without `if`, `concurrency` beside `when`, or `on_clear` without `when`.',
    fix: 'Add or remove the key that the message names.',
  },
  'rule/no-device': {
    meaning: 'The rule runs once per account, so it has no device.',
    cause: 'Its schedule lacks `for_each: devices`, and its condition or a step needs a device.',
    fix: 'Add `for_each: devices` to `on`.',
  },
  'rule/invalid-step': {
    meaning: 'A step is not exactly one action with its arguments.',
    cause: 'No action, two actions, or arguments that are not indented below the action.',
    fix: 'Write one action per list item, such as `- log: hello`.',
  },
  'rule/unknown-action': {
    meaning: 'There is no action with this name.',
    cause: 'A typo, or the name that another tool uses.',
    fix: 'Use the suggested action, or one from docs/actions.md.',
  },
  'rule/unknown-argument': {
    meaning: 'The action has no argument with this name.',
    cause: 'A typo, or an argument of another action.',
    fix: 'Use the suggested argument, or one from docs/actions.md.',
  },
  'rule/unknown-channel-type': {
    meaning: 'There is no channel type with this name.',
    cause: 'A typo.',
    fix: 'Use one of the types that the message lists.',
  },
  'rule/unknown-reference': {
    meaning: 'A rule names a group, script, channel or other object that does not exist.',
    cause: 'A typo, or the object was renamed or deleted.',
    fix: 'Use an existing name or id, or create the object. Channels belong below `channels:`.',
  },
  'rule/recipient-not-allowed': {
    meaning: 'A rule sends a message to a recipient that the channel does not allow.',
    cause:
      'The channel has no `to_domains`, the address is outside of these domains, or the type of the channel has no recipients.',
    fix: 'Add the domain to `to_domains` of the e-mail channel, or leave out `to`: then the recipients of the channel get the message.',
  },
  'rule/ambiguous-reference': {
    meaning: 'Several objects have the name that a rule uses.',
    cause: 'SimpleMDM allows the same name twice.',
    fix: 'Use the id instead of the name.',
  },
  'rule/env-not-set': {
    meaning: 'A rule uses an environment variable that is not set.',
    cause: 'The variable is missing from the environment of the service, or misspelled.',
    fix: 'Write it into .env: a running service reads the file again within seconds. A variable that is set elsewhere needs a restart. In CI, use `mdm-reflex validate --ignore-env`.',
  },
  'rule/value-in-host': {
    meaning: 'A value would decide the scheme, host or port of a URL.',
    cause: 'The URL begins with {{ }}, or has one before the first / behind the host.',
    fix: 'Write the beginning of the URL out. For an address from a response, name where it may lead in `origins`.',
  },
  'rule/env-misplaced': {
    meaning: 'An environment variable is written in a form or place that the service does not replace.',
    cause: '`${NAME}` as in a shell, `{{ env.NAME }}`, or `${env:NAME}` within {{ }}, {% %} or a condition.',
    fix: 'Write `${env:NAME}` in a text, outside of {{ }} and {% %}.',
  },
  'rule/invalid-expression': {
    meaning: 'A condition or a `for_each` is not a valid CEL expression.',
    cause: 'A word of another language, a missing operator, or an open quote or bracket.',
    fix: 'Write what the message suggests. docs/rules.md describes conditions.',
  },
  'rule/unknown-name': {
    meaning: 'An expression or template names something that does not exist there.',
    cause: 'A typo, a text without quotes, or `item` and `steps` where they are not available.',
    fix: 'Use one of the names that the message lists, or put quotes around a text.',
  },
  'rule/unknown-field': {
    meaning: 'A fact, an event or a step result has no field with this name.',
    cause: 'A typo, or a field of another record.',
    fix: 'Use the suggested field, or one from docs/rules.md.',
  },
  'rule/unknown-step': {
    meaning: 'No earlier step of the rule has this id.',
    cause: 'A typo, a step without an id, or a later step.',
    fix: 'Give the earlier step an `id`, and refer to it as `steps.<id>`.',
  },
  'rule/unknown-function': {
    meaning: 'There is no function with this name.',
    cause: 'A typo, or a function of another language.',
    fix: 'Use the suggested function, or one from docs/rules.md.',
  },
  'rule/type-mismatch': {
    meaning: 'An operator, a function or a key got a value of the wrong type.',
    cause: 'A text compared with a number, a version or a time, or a condition that is not true or false.',
    fix: 'Convert the value as the message shows.',
  },
  'rule/misleading-comparison': {
    meaning: 'A comparison cannot give the result that it seems to ask for.',
    cause:
      'A value that the field never has, versions compared as texts, or a ratio compared with a percentage.',
    fix: 'Compare as the message shows.',
  },
  'rule/invalid-literal': {
    meaning: 'A version, duration, time, network or regular expression in a condition is not valid.',
    cause: 'A typo, or a form that CEL does not know, such as days in a duration.',
    fix: 'Write it as the message shows.',
  },
  'rule/invalid-template': {
    meaning: 'A text with {{ }} or {% %} is not a valid Liquid template.',
    cause: 'Missing closing braces or tags, or a filter or tag that does not exist.',
    fix: 'Fix the place that the message names. docs/rules.md describes templates.',
  },
  'rule/init-failed': {
    meaning: '`mdm-reflex init` did not write a rule file.',
    cause: 'The file exists already, or its folder is missing or read-only.',
    fix: 'Name another file with `--out`, or leave `--out` out to print the rules.',
  },
} as const satisfies ErrorDefinitions;
