import type { ErrorDefinitions } from '../error-definition.js';

/** Webhooks from SimpleMDM. */
export const WEBHOOK_ERRORS = {
  'webhook/invalid-token': {
    meaning: 'The webhook token is missing or wrong.',
    cause: 'The URL in SimpleMDM does not end with a token of WEBHOOK_TOKEN, or it lacks the account name.',
    fix: 'Compare the URL in SimpleMDM (Settings, Webhooks) with WEBHOOK_TOKEN. With several accounts the path is /webhooks/simplemdm/<account>/<token>.',
  },
  'webhook/too-many-wrong-tokens': {
    meaning: 'This address sent too many wrong webhook tokens within a minute.',
    cause: 'A webhook with an old token, or somebody who guesses tokens.',
    fix: 'Correct the token and wait a minute. Requests with a valid token are never limited.',
  },
  'webhook/method-not-allowed': {
    meaning: 'The webhook address accepts POST only.',
    cause: 'A browser or a monitor opened the address.',
    fix: 'Enter the address in SimpleMDM (Settings, Webhooks). Use /healthz for monitoring.',
  },
  'webhook/unsupported-media-type': {
    meaning: 'The body of the webhook is not declared as JSON, or its encoding is not supported.',
    cause: 'The sender is not SimpleMDM, or a proxy changed the headers.',
    fix: 'Send Content-Type: application/json in UTF-8.',
  },
  'webhook/too-large': {
    meaning: 'The body of the webhook is larger than 256 KiB.',
    cause: 'The sender is not SimpleMDM: its webhooks are smaller than one KiB.',
    fix: 'Send a smaller body.',
  },
  'webhook/invalid-json': {
    meaning: 'The body of the webhook is not usable JSON.',
    cause: 'The body is empty, truncated, not UTF-8, nested too deeply, or holds a number that is too large.',
    fix: 'Send a JSON object.',
  },
  'webhook/invalid-fields': {
    meaning: 'A field of the webhook is missing or has the wrong type.',
    cause: 'The sender is not SimpleMDM, or SimpleMDM changed the form of its webhooks.',
    fix: 'Correct the field that the detail names. If SimpleMDM sent it, report it as an issue of mdm-reflex.',
  },
  'webhook/not-queued': {
    meaning: 'The service refused a webhook with 503 because Redis did not store the event.',
    cause: 'Redis is unreachable, slow or out of memory.',
    fix: 'Repair Redis. SimpleMDM may not send the webhook again: check the devices of that time.',
  },
} as const satisfies ErrorDefinitions;
