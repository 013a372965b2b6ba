import type { ErrorDefinitions } from '../error-definition.js';

/** Starting, running and stopping the service. */
export const SERVICE_ERRORS = {
  'service/account-status-not-saved': {
    meaning: 'The status of an account could not be written to Redis.',
    cause: 'Redis was unreachable for a moment.',
    fix: 'Nothing: the next API call writes it. If the message repeats, check Redis.',
  },
  'service/invalid-rule-files': {
    meaning: 'Changed rule files have problems, so the previous rules stay live.',
    cause: 'A rule file was saved with a mistake, or was still being written.',
    fix: 'Run `mdm-reflex validate` and correct the files. The service reads them again by itself.',
  },
  'service/job-abandoned': {
    meaning: 'A job ended without a result from its handler.',
    cause:
      'The handler failed with an unexpected error in every attempt, or the process died repeatedly while it ran.',
    fix: 'Read the reason in the log line. Report it with the log if it is not your system.',
  },
  'service/jobs-abandoned': {
    meaning: 'Active jobs could not be handed back when the process stopped.',
    cause: 'Redis was unreachable or slow during the stop.',
    fix: 'Nothing: another worker resumes the jobs when their locks expire, within 15 seconds.',
  },
  'service/jobs-aborted': {
    meaning: 'Jobs were still active when the process had to stop, so their API calls were aborted.',
    cause: 'SimpleMDM answered slowly during the stop.',
    fix: 'Nothing: the jobs return to their queues and resume.',
  },
  'service/journal-not-cleaned': {
    meaning: 'Events that are too old, or too many, could not be deleted from the journal.',
    cause: 'Redis refused a command, or a trace in Redis could not be read.',
    fix: 'Nothing at first: the service tries again every two seconds. If the message repeats, read the reason: the memory of Redis grows meanwhile.',
  },
  'service/missing-references': {
    meaning: 'Rules refer to groups, scripts or other things that do not exist in SimpleMDM.',
    cause: 'A name is misspelled, or the thing was renamed or deleted in SimpleMDM.',
    fix: 'Correct the rule, or create the thing. The service checks again every five minutes.',
  },
  'service/no-rules': {
    meaning: 'RULES_PATH contains no rules.',
    cause: 'RULES_PATH names the wrong folder, or the folder is empty.',
    fix: 'Set RULES_PATH to your rule files, or write a first rule with `mdm-reflex init`.',
  },
  'service/open-console': {
    meaning: 'ADMIN_TOKEN is not set, so anybody who reaches the port can use the console and the API.',
    cause: 'The setting was left out.',
    fix: 'Set ADMIN_TOKEN to a long random value.',
  },
  'service/open-webhooks': {
    meaning: 'WEBHOOK_TOKEN is not set, so anybody who reaches the port can post webhooks.',
    cause: 'The setting was left out.',
    fix: 'Set WEBHOOK_TOKEN to a long random value and add it to the webhook address in SimpleMDM.',
  },
  'service/read-only': {
    meaning: 'READ_ONLY is on: the service decides and traces everything, and sends nothing.',
    cause: 'READ_ONLY=1 is set.',
    fix: 'Remove READ_ONLY when the rules shall act.',
  },
  'service/rule-file-warnings': {
    meaning: 'The rule files contain probable mistakes.',
    cause: 'A rule can never match, or means something else than it seems to.',
    fix: 'Run `mdm-reflex validate` and read the warnings.',
  },
  'service/simplemdm-unavailable': {
    meaning: 'SimpleMDM does not respond, so the events of the account wait.',
    cause: 'SimpleMDM is down, or the network between the service and SimpleMDM is.',
    fix: 'Check the network and the status page of SimpleMDM. The service tries again by itself.',
  },
  'service/unclean-stop': {
    meaning: 'A part of the service did not stop cleanly.',
    cause: 'Redis or the network failed during the stop.',
    fix: 'Nothing, unless it repeats: no acknowledged event is lost.',
  },
} as const satisfies ErrorDefinitions;
