import type { ErrorDefinitions } from '../error-definition.js';

/** Alerts and the messages made of them. */
export const ALERT_ERRORS = {
  'alert/counted-only': {
    meaning: 'The message counts this alert but does not list it.',
    cause: 'A group of alerts stores 1,000 alerts until its message is sent. More alerts are only counted.',
    fix: 'Nothing is lost: the traces of the events name each alert. For fewer alerts, make the rule match fewer events.',
  },
  'alert/incomplete': {
    meaning: 'An alert was sent although a part of it could not be filled in.',
    cause:
      'A template in `notify` names a value that does not exist, or SimpleMDM did not respond. The message and the trace say what is missing.',
    fix: 'Give the value a default, such as `{{ attributes.owner | default: "unknown" }}`.',
  },
  'alert/not-found': {
    meaning: 'There is no undelivered message with this ID.',
    cause: 'The ID is misspelled, or the message was retried, dropped, or deleted after `DEAD_LETTER_DAYS`.',
    fix: 'Run `mdm-reflex alerts list` for the IDs of the undelivered messages.',
  },
  'alert/invalid-silence': {
    meaning: 'An option of `mdm-reflex silence add` is invalid.',
    cause: '`--match` is not `label=pattern`, or `--for` is not a duration such as `4h`.',
    fix: "Correct the option, for example `--match rule=new-macs --match 'device_name=lab-*' --for 4h`.",
  },
  'alert/unknown-label': {
    meaning: 'No alert can have the label that the silence matches, so the silence would have no effect.',
    cause: 'The label is misspelled, or no rule sets it in `labels` of `notify`.',
    fix: 'Use one of the labels that the message lists.',
  },
  'alert/silence-not-found': {
    meaning: 'There is no silence with this ID.',
    cause: 'The ID is misspelled, or the silence has ended.',
    fix: 'Run `mdm-reflex silence list` for the IDs of the active silences.',
  },
} as const satisfies ErrorDefinitions;
