/**
 * Fairness: does interactive work wait behind bulk work, an account behind another, a rule behind another?
 *
 *     npm run build && npm run bench:fairness
 *     npm run bench:fairness -- --parts sweep --devices 100 --enrollments 5
 */
import { parseArgs } from 'node:util';
import { measureAccounts } from './fairness/accounts.js';
import { measureRules } from './fairness/rules.js';
import { measureSweep } from './fairness/sweep.js';
import { endProcesses } from './processes.js';
import { print, table } from './statistics.js';

const { values } = parseArgs({
  options: {
    parts: { type: 'string', default: 'sweep,accounts,rules' },
    /** The devices of the sweep. Each takes three calls. */
    devices: { type: 'string', default: '930' },
    enrollments: { type: 'string', default: '20' },
    'every-ms': { type: 'string', default: '3000' },
    /** The events of the flood. */
    flood: { type: 'string', default: '10000' },
    /** The events of the other account, before and during the flood. */
    probes: { type: 'string', default: '60' },
    /** The runs of the first rule. */
    runs: { type: 'string', default: '2000' },
    /** Calls per second and account. */
    'api-rate': { type: 'string', default: '10' },
  },
});
const apiRate = Number(values['api-rate']);
const parts = values.parts.split(',');

try {
  if (parts.includes('sweep')) {
    const rows = await measureSweep({
      devices: Number(values.devices),
      apiRate,
      enrollments: Number(values.enrollments),
      everyMs: Number(values['every-ms']),
    });
    print('A device enrolls: from then until its first action is at the API.\n');
    print(table([['meanwhile', 'p50', 'p95', 'above idle', ''], ...rows]));
  }
  if (parts.includes('accounts')) {
    const rows = await measureAccounts({
      flood: Number(values.flood),
      probes: Number(values.probes),
      apiRate,
    });
    print('\nAn event of account B: from its webhook until its action is at the API (20 ms).\n');
    print(
      table([['account A', 'p50 before', 'p95 before', 'p50 during', 'p95 during', 'ratio of p95'], ...rows]),
    );
  }
  if (parts.includes('rules')) {
    const row = await measureRules({ runs: Number(values.runs), apiRate });
    print('\nA bulk rule has many runs: until the first run of another rule is at the API.\n');
    print(table([['the first rule', 'time', 'calls of the first rule until then'], row]));
  }
} finally {
  await endProcesses();
}
