import type { ErrorDefinitions } from '../error-definition.js';

/** Channels and deliveries. */
export const CHANNEL_ERRORS = {
  'channel/missing': {
    meaning: 'No rule file defines a channel with this name.',
    cause: 'The channel was renamed or removed, or another process uses different rule files.',
    fix: 'Define the channel again within ten minutes. Later, define it and run `mdm-reflex alerts retry all`.',
  },
  'channel/invalid-settings': {
    meaning: 'The settings of the channel do not work, so the message cannot be sent.',
    cause: 'An environment variable that the settings name is not set, or its value has the wrong format.',
    fix: 'Correct the variable or the setting, restart the service, then run `mdm-reflex alerts retry ID`.',
  },
  'channel/refused': {
    meaning: 'The service of the channel rejected the message permanently.',
    cause:
      'The webhook URL was revoked (404 or 410), a recipient does not exist, or the service rejects the content.',
    fix: 'Correct the settings, check them with `mdm-reflex channels test NAME`, then run `mdm-reflex alerts retry ID`.',
  },
  'channel/refused-credentials': {
    meaning: 'The service of the channel rejected the credentials.',
    cause: 'The password, token or webhook URL is wrong, expired or revoked.',
    fix: 'Set new credentials, check them with `mdm-reflex channels test NAME`, then run `mdm-reflex alerts retry ID`.',
  },
  'channel/no-tls': {
    meaning: 'The mail server does not offer STARTTLS, and the channel requires encryption.',
    cause: 'The server expects TLS from the start (port 465), or supports no encryption.',
    fix: 'Use `smtps://`. For a server without encryption, set `allow_insecure: true`.',
  },
  'channel/unavailable': {
    meaning: 'The service of the channel returned a temporary error.',
    cause: 'The service is down (5xx) or limits the rate of messages (429).',
    fix: 'Wait: the message is retried. After the last attempt, run `mdm-reflex alerts retry ID`.',
  },
  'channel/unreachable': {
    meaning: 'The service of the channel did not respond.',
    cause: 'A misspelled host name, a firewall, an untrusted certificate, or a service that is down.',
    fix: 'Check the host with `mdm-reflex channels test NAME`. The message is retried; after the last attempt, run `mdm-reflex alerts retry ID`.',
  },
  'channel/partly-refused': {
    meaning: 'The mail server accepted the message but rejected some recipients.',
    cause: 'An address in `to` is misspelled or does not exist any more.',
    fix: 'Correct `to`. The other recipients have the message.',
  },
  'channel/recipient-not-allowed': {
    meaning: 'An e-mail did not go to a recipient that a rule named.',
    cause:
      'The rendered `to` of `notify` is empty, is no plain e-mail address, or is outside of `to_domains` of the channel.',
    fix: 'Correct the value that `to` names, or add its domain to `to_domains`. When no recipient was left, the recipients of the channel have the message.',
  },
  'channel/unexpected-error': {
    meaning: 'Sending failed with an error that the channel does not expect.',
    cause: 'Probably a defect of mdm-reflex.',
    fix: 'Report the reason. The message is retried; after the last attempt, run `mdm-reflex alerts retry ID`.',
  },
} as const satisfies ErrorDefinitions;
