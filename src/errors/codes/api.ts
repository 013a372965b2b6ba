import type { ErrorDefinitions } from '../error-definition.js';

/** Calls to the SimpleMDM API. */
export const API_ERRORS = {
  'api/refused-key': {
    meaning: 'SimpleMDM refused the API key (401).',
    cause: 'The key is wrong, was revoked, or belongs to another account.',
    fix: 'Create a key in SimpleMDM (Settings, API), set it as SIMPLEMDM_API_KEY or api_key in ACCOUNTS_FILE, and restart.',
  },
  'api/forbidden': {
    meaning: 'The API key lacks the permission for the call (403).',
    cause: 'The key is read-only, or the subscription does not include the resource (scripts, for example).',
    fix: 'Give the key the permission in SimpleMDM (Settings, API).',
  },
  'api/not-found': {
    meaning: 'SimpleMDM has no such object (404).',
    cause: 'The object was deleted, the device left the account, or the id belongs to another account.',
    fix: 'Check the id in the path of the call.',
  },
  'api/conflict': {
    meaning: 'SimpleMDM refused the call because of the state of the object (409).',
    cause: 'The change is already in place, or another change is in progress.',
    fix: 'Look at the object in SimpleMDM. Replay the event if the change is still needed.',
  },
  'api/invalid-request': {
    meaning: 'SimpleMDM refused the arguments of the call (400, 422 or another 4xx status).',
    cause: 'The device or the object does not support the call, or an argument has the wrong form.',
    fix: 'Read the titles in the message: they are the words of SimpleMDM. Correct the rule and replay the event.',
  },
  'api/rate-limited': {
    meaning:
      'SimpleMDM received too many calls (429). Calls to the account pause until the time that SimpleMDM names.',
    cause: 'Other programs use the same account, API_RATE is too high, or one call was repeated too soon.',
    fix: 'Nothing: the call is retried. Lower API_RATE if the problem returns.',
  },
  'api/server-error': {
    meaning: 'SimpleMDM failed to handle the call (5xx).',
    cause: 'An outage or a fault at SimpleMDM.',
    fix: 'Nothing: the call is retried. Check the status page of SimpleMDM if the problem stays.',
  },
  'api/unreachable': {
    meaning: 'The connection to SimpleMDM failed.',
    cause: 'DNS, a proxy, a firewall, a certificate, a wrong SIMPLEMDM_BASE_URL, or an outage.',
    fix: 'Read the system error in the message and check the network from the host of the service. The call is retried.',
  },
  'api/timeout': {
    meaning: 'SimpleMDM did not respond in time (API_TIMEOUT_MS, or status 408).',
    cause: 'SimpleMDM or the network is slow.',
    fix: 'Nothing: the call is retried. Raise API_TIMEOUT_MS if the problem returns.',
  },
  'api/not-simplemdm': {
    meaning:
      'Something between the service and SimpleMDM answered the call: a web page, an empty body, a redirect, incomplete JSON, or the JSON of other software. The service learns nothing from such an answer, and treats SimpleMDM as unreachable.',
    cause:
      'A proxy, a gateway, a login page or a captive portal, a wrong DNS entry, or a wrong SIMPLEMDM_BASE_URL.',
    fix: 'Call the address in the message from the host of the service and look who answers: check the proxy, DNS and SIMPLEMDM_BASE_URL. The call is retried.',
  },
  'api/unexpected-response': {
    meaning: 'SimpleMDM returned a record without a usable id, or an error with the status of a success.',
    cause: 'The API has changed, or a record in the account is damaged.',
    fix: 'Look at the object in SimpleMDM, and report the call that the message names. The call is retried, as often as RETRY_ATTEMPTS says.',
  },
  'api/unreadable-field': {
    meaning:
      'A field of a record holds another type than the API reference says, and cannot be converted. The field counts as unknown (null); the rest of the record is used. Logged once for each field.',
    cause: 'The API has changed, or the record is old or damaged.',
    fix: 'Look which rules use the field: a condition on an unknown field is not true. Report the field; the metric mdm_reflex_api_unreadable_fields_total counts it.',
  },
  'api/incomplete-list': {
    meaning:
      'The pages of a list did not come to an end, so the service stopped reading: a page repeated earlier records, or was empty and named another page. What the rest of the list holds is not known.',
    cause: 'A fault at SimpleMDM, or a proxy that drops the query of the call (starting_after).',
    fix: 'Call the address in the message twice, with and without starting_after, and compare. Rules that need the whole list wait and are retried.',
  },
  'api/account-paused': {
    meaning: 'The call was not made because calls to the account are paused.',
    cause:
      'SimpleMDM refused the key (401), asked for fewer calls (429), or does not respond; or API_RATE is used up.',
    fix: 'Nothing after a 429 or an outage: calls resume on their own. After a 401, set a valid key. The message names the cause.',
  },
  'api/stopped': {
    meaning: 'The call was canceled because the service stops.',
    cause: 'A restart or a deployment.',
    fix: 'Nothing: the next process continues.',
  },
} as const satisfies ErrorDefinitions;
