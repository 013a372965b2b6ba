/**
 * Decides events by a thousand rules that all listen for them, and says how many events a second that makes. The baseline in the same
 * run: json-rules-engine with equivalent rules (the same comparisons of the same facts, a custom operator for `contains`). Both have
 * every fact at hand; nothing is looked up or sent.
 *
 * npm run build && npm run bench:rules
 */
import { Engine } from 'json-rules-engine';
import { serviceVocabulary } from '../src/actions/service-vocabulary.js';
import { evaluateRules } from '../src/runs/evaluate-rules.js';
import { deviceValue } from '../src/enrichment/device.js';
import type { Event } from '../src/events/envelope.js';
import { compileRuleFiles } from '../src/rules/compile-rule-files.js';

const RULES = Number(process.argv[2] ?? 1000);
const EVENTS = 200;
const ROUNDS = 5;

/** Each rule asks for a platform, a part of a name and some room: about one in twenty matches. */
const PLATFORMS = ['macOS', 'iOS', 'iPadOS', 'tvOS'];
const kinds = Array.from({ length: RULES }, (_unused, index) => ({
  platform: PLATFORMS[index % PLATFORMS.length] ?? '',
  part: `-${index % 50}-`,
  capacity: (index * 7) % 500,
}));

const text = `rules:\n${kinds
  .map(
    ({ platform, part, capacity }, index) =>
      `  - id: rule-${index}\n    on: device.enrolled\n    if: device.platform == "${platform}" && device.name.contains("${part}") && device.device_capacity > ${capacity}\n    do: [log: hi]\n`,
  )
  .join('')}`;

const loading = performance.now();
const { rules, problems } = compileRuleFiles(
  [{ name: 'bench.yaml', text }],
  serviceVocabulary({}, ['default']),
);
if (problems.length > 0) throw new Error(problems.map(({ text }) => text).join('\n'));
const loaded = performance.now() - loading;

const engine = new Engine([], { allowUndefinedFacts: true });
engine.addOperator('contains text', (value: string, part: string) => value.includes(part));
for (const { platform, part, capacity } of kinds) {
  engine.addRule({
    conditions: {
      all: [
        { fact: 'device', path: '$.platform', operator: 'equal', value: platform },
        { fact: 'device', path: '$.name', operator: 'contains text', value: part },
        { fact: 'device', path: '$.device_capacity', operator: 'greaterThan', value: capacity },
      ],
    },
    event: { type: 'log' },
  });
}

const devices = Array.from({ length: EVENTS }, (_unused, index) =>
  deviceValue({
    id: index,
    type: 'device',
    attributes: {
      name: `Mac -${index % 50}- of the benchmark`,
      model_name: 'MacBook Pro',
      device_capacity: 256,
      os_version: '15.1',
    },
  }),
);

function eventAbout(id: number): Event {
  const at = '2026-01-31T08:00:00.000Z';
  return {
    id: String(id),
    account: 'default',
    type: 'device.enrolled',
    at,
    receivedAt: at,
    source: 'webhook',
    data: { device: { id } },
  };
}

async function ours(): Promise<number> {
  let matched = 0;
  for (const [index, device] of devices.entries()) {
    const decisions = await evaluateRules(eventAbout(index), rules, { fetch: () => Promise.resolve(device) });
    matched += decisions.filter(({ verdict }) => verdict === 'matched').length;
  }
  return matched;
}

async function theirs(): Promise<number> {
  let matched = 0;
  for (const device of devices) matched += (await engine.run({ device })).events.length;
  return matched;
}

async function timed(task: () => Promise<number>): Promise<{ perSecond: number; matched: number }> {
  const begun = performance.now();
  const matched = await task();
  return { matched, perSecond: (EVENTS / (performance.now() - begun)) * 1000 };
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

const results: { ours: number; theirs: number }[] = [];
for (let round = 0; round <= ROUNDS; round += 1) {
  const [mine, other] = [await timed(ours), await timed(theirs)];
  if (mine.matched !== other.matched) {
    throw new Error(`the two do not agree: ${mine.matched} and ${other.matched} matches`);
  }
  // The first round warms both up.
  if (round > 0) results.push({ ours: mine.perSecond, theirs: other.perSecond });
}
const own = median(results.map((result) => result.ours));
const baseline = median(results.map((result) => result.theirs));
process.stdout.write(
  [
    `${RULES} rules, ${EVENTS} events a round, ${ROUNDS} rounds, median; loaded and checked in ${Math.round(loaded)} ms`,
    `mdm-reflex        ${own.toFixed(0)} events/s (${Math.round(own * RULES)} rules/s)`,
    `json-rules-engine ${baseline.toFixed(0)} events/s (${Math.round(baseline * RULES)} rules/s)`,
    `ratio             ${(own / baseline).toFixed(2)}`,
    '',
  ].join('\n'),
);
