import type { ErrorDefinitions } from '../error-definition.js';

/** Runs. */
export const RUN_ERRORS = {
  'run/held': {
    meaning: 'A rule reached its run limit. Its runs wait until a person releases or drops them.',
    cause: 'More devices than expected match the rule, or the limit is too low.',
    fix: 'Check the rule, then run `mdm-reflex held release RULE` or `mdm-reflex held drop RULE`.',
  },
  'run/dropped': {
    meaning: 'A person dropped the run while its rule was held.',
    cause: '`mdm-reflex held drop RULE`, or Drop in the console.',
    fix: 'Replay the event if the run is needed after all.',
  },
  'run/rule-missing': {
    meaning: 'The rule of the run is not in the rule files.',
    cause: 'The rule was removed or renamed, or a deployment is in progress.',
    fix: 'Restore the rule within ten minutes. Later: restore the rule and replay the event.',
  },
  'run/rule-changed': {
    meaning: 'The steps that were left did not run because the rule no longer allows them.',
    cause:
      'The rule was disabled, limited to other accounts, or lost `allow: [destructive]` after the run was planned.',
    fix: 'Nothing if intended. Otherwise restore the rule and replay the event with everything.',
  },
  'run/rule-invalid': {
    meaning: 'The rule that the run was planned with is not valid in this version.',
    cause: 'An update of the service changed what rules may contain.',
    fix: 'Correct the rule and replay the event.',
  },
  'run/superseded': {
    meaning:
      'A later run of the rule replaced this run before it was finished (`concurrency: { mode: restart }`).',
    cause: 'A newer event of the same device or key arrived.',
    fix: 'Nothing: the later run does the work.',
  },
  'run/already-ran': {
    meaning: 'The run was skipped because its rule runs once per device or key (`once_per`), and has run.',
    cause: 'Another event of the device came, or the device enrolled again.',
    fix: 'Nothing if intended. `mdm-reflex once reset RULE --device ID` lets the rule run again.',
  },
  'run/awaiting-approval': {
    meaning: 'The run waits until somebody approves or rejects its steps (`approve`).',
    cause: 'The rule or the step has `approve`.',
    fix: 'Open the link in the message, use the console, or run `mdm-reflex approvals list`.',
  },
  'run/rejected': {
    meaning: 'Somebody rejected the steps of the run (`approve`), so they did not run.',
    cause: 'Reject was chosen on the page of the link, in the console, or on the command line.',
    fix: 'Nothing if intended. Otherwise replay the event with everything: people are asked again.',
  },
  'run/approval-expired': {
    meaning: 'Nobody approved the steps of the run in time (`approve`), so they did not run.',
    cause: 'The time in `timeout` was over before anybody decided, or nobody saw the message.',
    fix: 'Replay the event with everything to ask again. Allow more time with `timeout`.',
  },
  'run/slot-taken': {
    meaning:
      'The run was skipped because another run of the rule was in progress (`concurrency: { mode: single }`).',
    cause: 'Two events of the same device or key arrived close to each other.',
    fix: 'Nothing if intended. `mode: queued` runs both, one after the other.',
  },
  'run/sealed-secrets': {
    meaning: 'A step received secrets that the rest of the run cannot decrypt any more.',
    cause:
      'The API key of the account was changed while the run was under way. The key encrypts the secrets.',
    fix: 'Replay the event with --everything: the step asks for its secrets again.',
  },
} as const satisfies ErrorDefinitions;
