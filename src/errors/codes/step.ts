import type { ErrorDefinitions } from '../error-definition.js';

/** Steps. */
export const STEP_ERRORS = {
  'step/failed': {
    meaning: 'A step failed for good, so the run did not continue.',
    cause: 'The reason of the step names the cause.',
    fix: 'Fix the cause and replay the event.',
  },
  'step/no-device': {
    meaning: 'A step on a device was skipped: SimpleMDM does not know the device of the event.',
    cause: 'The device left the account, has not enrolled yet, or the event names no device.',
    fix: 'Nothing if the device is gone. Otherwise replay the event after the device has enrolled.',
  },
  'step/not-enrolled': {
    meaning: 'A step was skipped because the device is not enrolled.',
    cause: 'The device is awaiting enrollment or has been unenrolled.',
    fix: 'Add a condition on `device.status`, or replay the event after the device has enrolled.',
  },
  'step/unsupported-platform': {
    meaning: 'A step was skipped because devices of this platform do not support the action.',
    cause: 'The rule also matches devices of other platforms.',
    fix: 'Add a condition such as `device.platform == "macOS"`.',
  },
  'step/not-supervised': {
    meaning: 'The action works on supervised devices only, and this device is not supervised.',
    cause: 'The rule also matches unsupervised devices.',
    fix: 'Add the condition `device.is_supervised`, or supervise the device.',
  },
  'step/not-repeated': {
    meaning: 'An earlier attempt may have taken effect, so the action was not sent again.',
    cause: 'The response to a call was lost, or the process was killed during the call.',
    fix: 'Look at the device in SimpleMDM. Replay the event if the action did not happen.',
  },
  'step/unknown-reference': {
    meaning: 'A step names something that SimpleMDM or the device does not have.',
    cause: 'A group, profile, script, attribute, app or user was renamed or deleted, or the name has a typo.',
    fix: 'Correct the name in the rule and replay the event.',
  },
  'step/ambiguous-reference': {
    meaning: 'A step names something by a name that several objects have.',
    cause: 'SimpleMDM allows equal names.',
    fix: 'Use one of the ids in the message in place of the name, or rename the objects.',
  },
  'step/invalid-argument': {
    meaning: 'An argument of a step is not valid for the action or for this device.',
    cause:
      'A template rendered to something else than the action expects, or the device needs another argument.',
    fix: 'Correct the argument that the message names and replay the event.',
  },
  'step/app-not-managed': {
    meaning: 'SimpleMDM does not manage the app on this device, so it cannot update or remove the app.',
    cause: 'The user installed the app.',
    fix: 'Put `request_app_management` before this step.',
  },
  'step/no-invitation': {
    meaning: 'The enrollment does not take invitations.',
    cause: 'Account-driven enrollments have no URL to send.',
    fix: 'Name another enrollment.',
  },
  'step/script-failed': {
    meaning: 'A script failed on the device, or its job was canceled.',
    cause: 'The script exited with an error, or someone canceled the job in SimpleMDM.',
    fix: 'Read `response` and `status_code` of the step. Correct the script and replay the event.',
  },
  'step/timeout': {
    meaning: 'A step did not finish in time.',
    cause: 'The device is offline, or a service does not respond within `timeout` or `wait`.',
    fix: 'Raise `timeout` or `wait`, or replay the event when the device is online.',
  },
  'step/no-response': {
    meaning: 'A web service did not respond to `http_request`.',
    cause: 'The host is down or unreachable, or the response took longer than 30 seconds.',
    fix: 'Check the address and the network. The step is retried.',
  },
  'step/unexpected-status': {
    meaning: 'A web service responded to `http_request` with a status that the step does not expect.',
    cause: 'The service refused the request or is out of order.',
    fix: 'Read the response in the message. Correct the request, or list the status in `expect`.',
  },
  'step/log-message': {
    meaning: 'A rule wrote this log line with the action `log`.',
    cause: 'The rule has a `log` step with the level warn or error.',
    fix: 'Read the message. The author of the rule wrote it.',
  },
  'step/unknown-action': {
    meaning: 'A step names an action that this version does not have.',
    cause: 'The run was planned by another version of the service.',
    fix: 'Update the rule and replay the event.',
  },
  'step/condition-failed': {
    meaning: 'The `if` of a step could not be evaluated.',
    cause: 'The expression divides by zero, or compares or converts a value of the wrong type.',
    fix: 'Correct the expression, for example with a check for null, and replay the event.',
  },
  'step/template-failed': {
    meaning: 'A template in the arguments of a step could not be rendered.',
    cause: 'A value is missing, a filter got a value of the wrong type, or an `${env:NAME}` is not set.',
    fix: 'Add `| default:` or set the variable, and replay the event.',
  },
  'step/invalid-list': {
    meaning: 'The `for_each` of a step could not be evaluated, or did not give a list.',
    cause: 'The expression names a value that is null or not a list.',
    fix: 'Correct the expression and replay the event.',
  },
  'step/too-many-items': {
    meaning: 'The list of `for_each` is longer than `at_most`. Nothing was done.',
    cause: 'The list is longer than expected.',
    fix: 'Check the list. Raise `at_most` if the length is right, and replay the event.',
  },
} as const satisfies ErrorDefinitions;
