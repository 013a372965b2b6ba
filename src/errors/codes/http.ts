import type { ErrorDefinitions } from '../error-definition.js';

/** HTTP requests to the service. */
export const HTTP_ERRORS = {
  'http/invalid-request': {
    meaning: 'The address or a query parameter of the request is not valid.',
    cause: 'An unknown parameter, a value out of range, or an address with a wrong percent-encoding.',
    fix: 'Correct the part that the detail names.',
  },
  'http/unauthorized': {
    meaning: 'The admin token is missing or wrong.',
    cause: 'The request has no Authorization header, or ADMIN_TOKEN has changed.',
    fix: 'Send the ADMIN_TOKEN as "Authorization: Bearer <token>".',
  },
  'http/cross-site': {
    meaning: 'A page of another site tried to change something through the browser.',
    cause: 'The request comes from another address than that of the console.',
    fix: 'Use the console at its own address, or the command line.',
  },
  'http/too-many-wrong-links': {
    meaning: 'An address opened too many approval links that do not exist.',
    cause: 'A link was copied in part again and again, or somebody guesses links.',
    fix: 'Open the link of the message as it is. After a minute the address is free again.',
  },
  'http/not-found': {
    meaning: 'Nothing exists at this address.',
    cause: 'A typo in the path, or the event, held rule or message named in the path no longer exists.',
    fix: 'Check the path. GET /api/events and GET /api/status list what exists.',
  },
  'http/event-in-progress': {
    meaning: 'The event cannot be replayed while it is processed.',
    cause: 'A run of the event has not ended, or another replay has just started.',
    fix: 'Replay the event when its runs have ended.',
  },
  'http/approval-closed': {
    meaning: 'The approval has an answer already, or its time is over.',
    cause: 'Somebody else decided, or nobody did in time.',
    fix: 'Nothing: the trace of the event shows the answer. A replay with everything asks again.',
  },
  'http/nothing-to-replay': {
    meaning: 'Nothing failed for this event, so there is nothing to resume.',
    cause: 'All runs of the event ended well.',
    fix: 'To process the whole event again as a new event, add ?everything=true.',
  },
  'http/no-worker': {
    meaning: 'The service knows no rules because no worker runs.',
    cause: 'Only the receiver was started.',
    fix: 'Start a worker with "mdm-reflex worker".',
  },
  'http/unavailable': {
    meaning: 'The service cannot handle the request now.',
    cause: 'The service starts or stops, or Redis is unreachable.',
    fix: 'Send the request again after a few seconds. GET /readyz shows the state.',
  },
  'http/internal-error': {
    meaning: 'The service failed to handle the request.',
    cause: 'A defect of mdm-reflex.',
    fix: 'Find the reason in the log by the request id, and report it as an issue of mdm-reflex.',
  },
} as const satisfies ErrorDefinitions;
