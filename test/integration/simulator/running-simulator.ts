import { afterEach } from '@jest/globals';
import {
  createManualClock,
  startSimulator,
  type ManualClock,
  type Simulator,
  type SimulatorOptions,
} from '../../../simulator/start.js';
import { until as untilTrue } from '../../support/until.js';
import { apiKey, readOnlyApiKey } from './api-client.js';
import { startReceiver, type WebhookReceiver } from './webhook-receiver.js';

const toClose: (() => Promise<void>)[] = [];

afterEach(async () => {
  await Promise.all(toClose.splice(0).map((close) => close()));
});

/** Starts a simulator with a manual clock; closed after the test. */
export async function simulatorForTest(
  options: Partial<SimulatorOptions> = {},
): Promise<{ simulator: Simulator; clock: ManualClock; url: string }> {
  const clock = createManualClock();
  const simulator = await startSimulator({ apiKey, readOnlyApiKey, clock, ...options });
  toClose.push(() => simulator.close());
  return { simulator, clock, url: simulator.url };
}

/** Starts a webhook receiver; closed after the test. */
export async function receiverForTest(): Promise<WebhookReceiver> {
  const receiver = await startReceiver();
  toClose.push(() => receiver.close());
  return receiver;
}

/** Waits for a condition. */
export async function until(condition: () => boolean): Promise<void> {
  await untilTrue('the condition holds', condition);
}
