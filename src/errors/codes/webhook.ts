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
    meaning: 'The body of the webhook is compressed in a way that the service does not know.',
    cause: 'The sender is not SimpleMDM, or a proxy changed the header Content-Encoding.',
    fix: 'Send the body without compression, or with gzip, deflate or br.',
  },
  'webhook/too-large': {
    meaning: 'The body of the webhook is larger than 256 KiB.',
    cause: 'The sender is not SimpleMDM: its webhooks are smaller than one KiB.',
    fix: 'Send a smaller body.',
  },
  'webhook/invalid-json': {
    meaning: 'The body of the webhook is not JSON, so the service refused it.',
    cause:
      'The body is empty, cut off, or a page in HTML: another program sent it, or a proxy replaced it. The detail says what it looks like.',
    fix: 'Send the JSON object that SimpleMDM sends. Check what changes bodies between SimpleMDM and the service.',
  },
  'webhook/invalid-fields': {
    meaning: 'The body of the webhook is not an object with a `type`, so the service refused it.',
    cause: 'Another program than SimpleMDM sent it.',
    fix: 'Send an object with a `type`, such as "device.enrolled". Nothing else is required.',
  },
  'webhook/odd': {
    meaning:
      'A webhook does not have the documented form. The service kept it, and rules decide with what is known.',
    cause:
      'SimpleMDM changed its webhooks, a proxy or another program changed them on the way, or somebody sent the webhook by hand.',
    fix: 'Read the warnings of the event (`mdm-reflex events show`, or the console). If SimpleMDM sent it, report it as an issue of mdm-reflex.',
  },
  'webhook/not-queued': {
    meaning: 'The service refused a webhook with 503 because Redis did not store the event.',
    cause: 'Redis is unreachable, slow or out of memory.',
    fix: 'Repair Redis. SimpleMDM may not send the webhook again: check the devices of that time.',
  },
} as const satisfies ErrorDefinitions;
