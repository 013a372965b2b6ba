/**
 * Evaluates a thousand rules for each event and prints events per second. The baseline is json-rules-engine with equivalent rules
 * (the same comparisons of the same facts, a custom operator for `contains`). Both have all facts in memory and send nothing.
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

/** Each rule compares platform, part of the name and capacity. About one rule in twenty matches. */
const PLATFORMS = ['macOS', 'iOS', 'iPadOS', 'tvOS'];
const conditions = Array.from({ length: RULES }, (_unused, index) => ({
  platform: PLATFORMS[index % PLATFORMS.length] ?? '',
  part: `-${index % 50}-`,
  capacity: (index * 7) % 500,
}));

const text = `rules:\n${conditions
  .map(
    ({ platform, part, capacity }, index) =>
      `  - id: rule-${index}\n    on: device.enrolled\n    if: device.platform == "${platform}" && device.name.contains("${part}") && device.device_capacity > ${capacity}\n    do: [log: hi]\n`,
  )
  .join('')}`;

const loadStart = performance.now();
const { rules, problems } = compileRuleFiles(
  [{ name: 'bench.yaml', text }],
  serviceVocabulary({}, ['default']),
);
if (problems.length > 0) throw new Error(problems.map((problem) => problem.text).join('\n'));
const loadMs = performance.now() - loadStart;

const engine = new Engine([], { allowUndefinedFacts: true });
engine.addOperator('containsText', (value: string, part: string) => value.includes(part));
for (const { platform, part, capacity } of conditions) {
  engine.addRule({
    conditions: {
      all: [
        { fact: 'device', path: '$.platform', operator: 'equal', value: platform },
        { fact: 'device', path: '$.name', operator: 'containsText', value: part },
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

async function mdmReflex(): Promise<number> {
  let matched = 0;
  for (const [index, device] of devices.entries()) {
    const decisions = await evaluateRules(eventAbout(index), rules, { fetch: () => Promise.resolve(device) });
    matched += decisions.filter(({ verdict }) => verdict === 'matched').length;
  }
  return matched;
}

async function jsonRulesEngine(): Promise<number> {
  let matched = 0;
  for (const device of devices) matched += (await engine.run({ device })).events.length;
  return matched;
}

async function timed(task: () => Promise<number>): Promise<{ perSecond: number; matched: number }> {
  const startedAt = performance.now();
  const matched = await task();
  return { matched, perSecond: (EVENTS / (performance.now() - startedAt)) * 1000 };
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

const results: { own: number; baseline: number }[] = [];
for (let round = 0; round <= ROUNDS; round += 1) {
  const [own, baseline] = [await timed(mdmReflex), await timed(jsonRulesEngine)];
  if (own.matched !== baseline.matched) {
    throw new Error(`the engines disagree: ${own.matched} and ${baseline.matched} matches`);
  }
  // The first round is a warm-up.
  if (round > 0) results.push({ own: own.perSecond, baseline: baseline.perSecond });
}
const own = median(results.map((result) => result.own));
const baseline = median(results.map((result) => result.baseline));
process.stdout.write(
  [
    `${RULES} rules, ${EVENTS} events per round, ${ROUNDS} rounds, median; rules loaded in ${Math.round(loadMs)} ms`,
    `mdm-reflex        ${own.toFixed(0)} events/s (${Math.round(own * RULES)} rules/s)`,
    `json-rules-engine ${baseline.toFixed(0)} events/s (${Math.round(baseline * RULES)} rules/s)`,
    `ratio             ${(own / baseline).toFixed(2)}`,
    '',
  ].join('\n'),
);
