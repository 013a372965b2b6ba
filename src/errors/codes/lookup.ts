import type { ErrorDefinitions } from '../error-definition.js';

/** Lookups: files and web services with own data for rules. */
export const LOOKUP_ERRORS = {
  'lookup/unreadable': {
    meaning: 'The file of a lookup cannot be used.',
    cause:
      'The file is missing, lies outside of the folder of the rules, is too large, or is not UTF-8 text.',
    fix: 'Put the file into the folder of the rules and save it as UTF-8 (in Excel: "CSV UTF-8").',
  },
  'lookup/invalid-data': {
    meaning: 'The file of a lookup has a wrong line.',
    cause: 'Two rows have the same key, a row has more or fewer values than columns, or a quote is open.',
    fix: 'Fix the line that the message names. Until then, the previous rules and rows stay live.',
  },
  'lookup/unavailable': {
    meaning: 'The web service of a lookup returned no usable rows.',
    cause:
      'The service is down, refuses the request, returns something other than JSON, or the rows are at another path.',
    fix: 'Open the address with the same headers and compare it with `path` and `key`. The service uses the last rows meanwhile; without any, rules that read the lookup wait.',
  },
  'lookup/odd-rows': {
    meaning: 'Some rows of a lookup were not used.',
    cause: 'They have no key, are not records, or have the same key as a later row.',
    fix: 'Fix the rows at their source.',
  },
} as const satisfies ErrorDefinitions;
