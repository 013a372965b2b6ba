import { z } from 'zod';
import { event } from '../events/envelope.js';
import { deviceNameOf } from './trace-changes.js';
import { ALERT_FIELD, FACT_FIELD, RUN_FIELD } from './trace-keys.js';
import { alertTrace, factTrace, processingTrace, ruleTrace, runTrace, statusOf } from './trace.js';
import type { EventSummary, ProcessingTrace, RunTrace, Trace } from './trace.js';

/** The trace in the fields of its hash; undefined without an event, when the trace has expired. */
export function traceFrom(fields: Readonly<Record<string, string>>): Trace | undefined {
  if (fields['event'] === undefined) return undefined;
  const envelope = event.parse(JSON.parse(fields['event']));
  const processing =
    fields['processing'] === undefined ? undefined : processingTrace.parse(JSON.parse(fields['processing']));
  const runs = valuesOf(fields, RUN_FIELD)
    .map(([, value]) => runTrace.parse(value))
    .sort((a, b) => a.plannedAt.localeCompare(b.plannedAt) || a.rule.localeCompare(b.rule));
  const decisions =
    fields['decisions'] === undefined ? [] : z.array(ruleTrace).parse(JSON.parse(fields['decisions']));
  const facts = Object.fromEntries(
    valuesOf(fields, FACT_FIELD).map(([name, value]) => [name, factTrace.parse(value)]),
  );
  const status = statusOf(processing, runs);
  const ownAction = status === 'no_match' && decisions.some((decision) => decision.ownAction === true);
  const deviceName = deviceNameOf(facts['device']);
  return {
    ...envelope,
    status,
    rules: runs.map((run) => run.rule),
    ...reasonOf(processing, runs),
    ...(ownAction && { ownAction }),
    ...(deviceName !== undefined && { deviceName }),
    ...(processing && { processing }),
    facts,
    decisions,
    runs,
    alerts: valuesOf(fields, ALERT_FIELD)
      .map(([, value]) => alertTrace.parse(value))
      .sort((a, b) => a.id.localeCompare(b.id) || a.channel.localeCompare(b.channel)),
  };
}

/** The event in a list, without the rest of its trace. */
export function summaryFrom(fields: Readonly<Record<string, string>>): EventSummary | undefined {
  const trace = traceFrom(fields);
  if (trace === undefined) return undefined;
  const {
    processing: _processing,
    facts: _facts,
    decisions: _decisions,
    runs: _runs,
    alerts: _alerts,
    ...summary
  } = trace;
  return summary;
}

function valuesOf(fields: Readonly<Record<string, string>>, kind: string): [name: string, value: unknown][] {
  return Object.entries(fields)
    .filter(([name]) => name.startsWith(kind))
    .map(([name, value]) => [name.slice(kind.length), JSON.parse(value)]);
}

/** Why an event or its runs wait or failed: the worst reason, and how many more there are. */
function reasonOf(
  processing: ProcessingTrace | undefined,
  runs: readonly RunTrace[],
): Pick<EventSummary, 'reason' | 'code'> {
  const withReason = runs.filter((run) => run.reason !== undefined);
  const failed = withReason.find(({ status }) => status === 'failed');
  if (processing?.reason !== undefined && (processing.state === 'failed' || failed === undefined))
    return { reason: processing.reason, code: processing.code };
  const worst = failed ?? withReason.find(({ status }) => status === 'waiting') ?? withReason[0];
  if (worst?.reason === undefined) return {};
  const more = withReason.length === 1 ? '' : ` (and ${withReason.length - 1} more)`;
  return { reason: `rule ${worst.rule}: ${worst.reason}${more}`, code: worst.code };
}
