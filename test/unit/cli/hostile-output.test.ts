import { describe, expect, test } from '@jest/globals';
import { formatEvents } from '../../../src/cli/format-events.js';
import { formatTrace } from '../../../src/cli/format-trace.js';
import { reportError } from '../../../src/cli/report-error.js';
import { jsonText, safeOutput } from '../../../src/cli/terminal.js';
import { OperatorError } from '../../../src/config/operator-error.js';
import type { Trace } from '../../../src/journal/trace.js';
import { HOSTILE_NAMES } from '../../support/hostile-names.js';

/** Control characters but the line break, bidirectional controls, invisible characters, lone surrogates. */
const UNSAFE =
  // eslint-disable-next-line no-control-regex -- control characters are what the pattern looks for
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\u{e0000}-\u{e007f}\p{Surrogate}]/u;

/** A trace with a text in every place that a device, a webhook or a response can fill. */
function traceWith(text: string): Trace {
  const call = {
    account: 'default',
    method: 'POST',
    path: `/x/${text}`,
    route: '/x',
    error: text,
    durationMs: 1,
    body: { name: text },
  };
  const attempt = { action: 'log', attempts: 1, output: { message: text, [text]: text }, calls: [call] };
  return {
    id: '0123456789abcdef'.repeat(4),
    account: 'default',
    type: text,
    at: text,
    receivedAt: '2024-01-01T12:00:01.234Z',
    source: 'webhook',
    data: { device: { id: 121, serial_number: text }, more: text },
    deviceName: text,
    status: 'failed',
    reason: text,
    code: 'step/failed',
    rules: ['a', text],
    processing: { state: 'failed', attempts: 1, at: 'x', reason: text, code: 'step/failed' },
    facts: {
      device: { status: 'failed', value: text, fetchedAt: 'x', durationMs: 1, error: text, calls: [call] },
    },
    decisions: [
      { rule: 'a', verdict: 'error', reason: text, decidedAt: 'x' },
      { rule: text, verdict: 'not_matched', reason: text, decidedAt: 'x' },
    ],
    runs: [
      {
        rule: text,
        status: 'failed',
        plannedAt: 'x',
        reason: text,
        steps: [
          { ...attempt, status: 'completed' },
          { ...attempt, status: 'failed', reason: text },
          {
            ...attempt,
            status: 'completed',
            items: [text, { name: text }, [text]],
            itemRecords: [
              { ...attempt, status: 'completed' },
              { ...attempt, status: 'failed', reason: text },
              { ...attempt, status: 'completed' },
            ],
          },
        ],
      },
    ],
    alerts: [{ id: text, channel: text, title: text, status: 'failed', at: 'x', reason: text }],
  };
}

const plain = (_style: unknown, text: string): string => text;
const linesOf = (text: string): number => text.split('\n').length;

describe.each(HOSTILE_NAMES)('%j', (name) => {
  test('neither controls the terminal nor adds a line', () => {
    const trace = traceWith(name);
    for (const shown of [formatTrace(trace, plain), formatEvents([trace], plain)])
      expect(shown).not.toMatch(UNSAFE);
    const harmless = traceWith('Mac');
    expect(linesOf(formatTrace(trace, plain))).toBe(linesOf(formatTrace(harmless, plain)));
    expect(linesOf(formatEvents([trace], plain))).toBe(linesOf(formatEvents([harmless], plain)));
  });

  test('is safe as JSON, and the JSON keeps it', () => {
    const json = jsonText(traceWith(name));
    expect(json).not.toMatch(UNSAFE);
    expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(traceWith(name))));
    expect(safeOutput(json)).toBe(json);
  });

  test('is safe in an error', () => {
    const error = new OperatorError([{ code: 'cli/unknown-event', message: `there is no event "${name}"` }]);
    expect(safeOutput(reportError(error, false)?.stderr ?? '')).not.toMatch(UNSAFE);
    expect(reportError(error, true)?.stdout).not.toMatch(UNSAFE);
  });
});

test('the output keeps colors, lines and tabs, and nothing else that controls a terminal', () => {
  expect(safeOutput('\u001b[1mbold\u001b[22m\n\tx\u001b[2J\u001b]0;t\u0007\u009b1m\u202ey')).toBe(
    '\u001b[1mbold\u001b[22m\n\tx [2J ]0;t  1my',
  );
});
