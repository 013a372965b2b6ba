import { ms, startAccount, startSystem, waitUntil, writes } from './system.js';

/** How the rules are measured. */
export interface RuleOptions {
  /** How many runs the first rule has. */
  readonly runs: number;
  readonly apiRate: number;
}

const rules = (device: number): string => `
rules:
  - id: many
    on: { schedule: "0 0 1 1 *", for_each: devices }
    limit: { runs: 1000000, per: 1h }
    do: [set_attribute: { name: department, value: many }]
  - id: single
    on: { schedule: "0 0 1 1 *", for_each: devices }
    if: device.id == ${device}
    limit: { runs: 1000000, per: 1h }
    do: [set_attribute: { name: department, value: single }]
`;

/** A rule has many bulk runs: how long from the tick of another rule until its first run is at the API? Its sweep reads all devices first. */
export async function measureRules({ runs, apiRate }: RuleOptions): Promise<string[]> {
  const simulator = await startAccount(runs);
  const last = 10_000 + runs - 1;
  const system = await startSystem({ rules: rules(last), accounts: { a: simulator.url }, apiRate });
  try {
    await system.tick('many');
    await waitUntil(() => writes(simulator).length >= 20, 600_000);
    await system.tick('single');
    const before = writes(simulator).length;
    const isSingle = ({ body }: { readonly body: Readonly<Record<string, unknown>> }): boolean =>
      body['value'] === 'single';
    const startedAt = Date.now();
    await waitUntil(() => writes(simulator).some(isSingle), 3_600_000);
    const between = writes(simulator).findIndex(isSingle) - before;
    return [`${runs} runs`, ms(Date.now() - startedAt), String(between)];
  } finally {
    await system.stop();
    await simulator.close();
  }
}
