import { createManualClock, startSimulator } from '../../../simulator/start.js';
import type { Simulator } from '../../../simulator/start.js';
import type { ActionResult } from '../../../src/actions/action.js';
import { performStep } from '../../../src/runs/perform-step.js';
import { serviceVocabulary } from '../../../src/actions/service-vocabulary.js';
import { createFactFetcher } from '../../../src/enrichment/fetch-facts.js';
import type { NewAlert } from '../../../src/alerts/alert.js';
import type { Event } from '../../../src/events/envelope.js';
import { vocabularyWithChannels } from '../../../src/rules/compile-rule-files.js';
import { compileRule } from '../../../src/rules/compile-rule.js';
import { createSimpleMdm } from '../../../src/simplemdm/client.js';
import type { SimpleMdm } from '../../../src/simplemdm/client.js';
import { createCachedLists } from '../../../src/simplemdm/cached-lists.js';
import { createLogger } from '../../../src/telemetry/logger.js';
import { collectLog } from '../../support/log-lines.js';

/** A simulator with a manual clock, and actions performed on its devices as in a run. */
export interface ActionWorld {
  readonly api: SimpleMdm;
  readonly simulator: Simulator;
  readonly perform: (
    action: string,
    args: Readonly<Record<string, unknown>>,
    deviceId: number,
    unsettledSince?: Date,
    previousOutput?: Readonly<Record<string, unknown>>,
  ) => Promise<ActionResult>;
  /** Advances the clock, so that pending changes in the simulator take effect. */
  readonly advance: () => void;
  readonly all: <T>(items: AsyncIterable<T>) => Promise<T[]>;
  readonly log: () => string;
  readonly dispatchedAlerts: () => readonly NewAlert[];
  readonly emittedEvents: () => readonly Event[];
  readonly close: () => Promise<void>;
}

export const apiKey = 'api-key-of-the-action-test';

export async function startActionWorld(): Promise<ActionWorld> {
  const clock = createManualClock();
  const simulator = await startSimulator({ apiKey, clock });
  const api = createSimpleMdm({ apiKey, baseUrl: simulator.url, rate: { perSecond: 1000, burst: 1000 } });
  const lists = createCachedLists(api);
  const alerts: NewAlert[] = [];
  const events: Event[] = [];
  const { logTo, log } = collectLog();
  const logger = createLogger({ level: 'trace', redact: (text) => text, destination: logTo });
  return {
    api,
    simulator,
    advance: () => clock.advance(10_000),
    all: async (items) => {
      const found = [];
      for await (const item of items) found.push(item);
      return found;
    },
    log,
    close: () => simulator.close(),
    dispatchedAlerts: () => alerts,
    emittedEvents: () => events,
    perform: (action, args, deviceId, unsettledSince, previousOutput) => {
      const problems: string[] = [];
      const rule = compileRule(
        {
          id: 'test',
          enabled: true,
          on: ['device.enrolled'],
          allow: ['destructive'],
          mode: 'live',
          onOwnActions: false,
          do: [{ action, args: { ...args }, onError: 'stop' }],
        },
        vocabularyWithChannels(serviceVocabulary({}, ['default']), [{ name: 'it-chat' }]),
        [],
        ({ message }) => void problems.push(message),
      );
      const [step] = rule.steps;
      if (step === undefined || problems.length > 0) throw new Error(problems.join('; '));
      const now = clock.now().toISOString();
      const event = {
        id: 'e',
        account: 'default',
        type: 'device.enrolled',
        at: now,
        receivedAt: now,
        source: 'webhook' as const,
        data: { device: { id: deviceId } },
      };
      const facts = createFactFetcher({
        event,
        api,
        lists,
        known: new Map(),
        onFact: () => Promise.resolve(),
      });
      return performStep({
        step,
        values: { event: { type: event.type, data: event.data }, steps: {} },
        context: {
          event,
          api,
          lists,
          fact: facts.fetch,
          look: () => Promise.resolve({ result: 'true' }),
          logger,
          claim: () => Promise.resolve(true),
          stepKey: 'e.test.0',
          startedAt: clock.now(),
          previousOutput,
          rule: rule.source,
          signal: new AbortController().signal,
          dispatchAlert: (alert) => {
            alerts.push(alert);
            return Promise.resolve();
          },
          emitEvent: (emitted) => {
            events.push(emitted);
            return Promise.resolve();
          },
          now: () => clock.now(),
        },
        env: {},
        inDoubtSince: unsettledSince,
      });
    },
  };
}
