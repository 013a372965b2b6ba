import type { Log } from './fleet.js';

/** The log entries of the reference (Logs). */
export const initialLogs: readonly Log[] = [
  {
    id: 'abcde123456',
    namespace: 'admin',
    event_type: 'user.signed_in',
    level: 0,
    source: 'admin ui',
    at: '11/06/19 18:27:41',
    metadata: {},
    relationships: {
      account: { data: { type: 'account', id: 123456 } },
      user: { data: { type: 'user', id: 123456, email: 'support@simplemdm.com' } },
    },
  },
  {
    id: '964595dfd5be464a82cbb9019f55d82b',
    namespace: 'device',
    event_type: 'script.ran',
    level: 'info',
    source: 'device',
    at: '06/01/22 11:26:19',
    metadata: { name: 'My Script', job_status: '0', job_response: 'Hello World!\n' },
    relationships: {
      account: { data: { type: 'account', id: 1, api_key: 'Test API' } },
      device: {
        data: { type: 'device', serial_number: 'ZP9XH0X52C', udid: '868F7125-B1AF-5139-B71F-99D68768AABB' },
      },
    },
  },
];
