import { AsyncResource } from 'node:async_hooks';
import type { ApiCall } from '../http/api-call.js';
import { recordWarning, recordWarnings } from './answer-warnings.js';
import type { AnswerWarning } from './answer-warnings.js';
import { recordCall, recordCalls } from './call-recorder.js';
import type { SimpleMdm } from './client.js';
import type { Device } from './devices.js';
import { SimpleMdmError } from './errors.js';
import { taskLane } from './lane.js';
import { createPageReach } from './page-reach.js';
import type { PageReach, PlannedPage } from './page-reach.js';

/** Reads device records. */
export interface DeviceReads {
  /**
   * The record of a device. The call for it is sent after this function is called, never before.
   *
   * @throws SimpleMdmError as `devices.retrieve` does; 404 for a device that has left the account.
   */
  readonly retrieve: (deviceId: number) => Promise<Device>;
}

/** While so many calls are under way, further reads wait and may share one. */
const MAX_CALLS = 4;

/**
 * Reads device records, many with one call when many are wanted: a page of the list has the same records as single reads (API
 * reference, Devices, List all and Retrieve one), and devices that enroll together have ids near each other.
 *
 * A read that comes while fewer than {@link MAX_CALLS} calls are under way is sent at once, alone. The others wait, and the next call
 * is a page if it serves two of them or more. A device that is not in its page is read alone: only that call shows that it has left.
 *
 * @param lane - The lane of the caller. Reads of different lanes do not wait for each other.
 * @param now - Epoch milliseconds.
 */
export function createDeviceReads(
  { devices }: Pick<SimpleMdm, 'devices'>,
  lane: () => string = () => taskLane().current(),
  now: () => number = Date.now,
): DeviceReads {
  const lanes = new Map<string, DeviceReads>();
  const reach = createPageReach(now);
  return {
    retrieve: (deviceId) => {
      const name = lane();
      const reads = lanes.get(name) ?? createLaneReads(devices, reach);
      lanes.set(name, reads);
      return reads.retrieve(deviceId);
    },
  };
}

/** A read that waits for its call. */
interface WaitingRead {
  readonly deviceId: number;
  /** Runs a function in the context of the caller, where its calls and warnings are recorded. */
  readonly inContext: (task: () => void) => void;
  readonly resolve: (device: Device | Promise<Device>) => void;
  readonly reject: (error: unknown) => void;
}

function createLaneReads(devices: SimpleMdm['devices'], reach: PageReach): DeviceReads {
  const waiting: WaitingRead[] = [];
  /** Reads whose device was not in its page. They go first. */
  const notInPage: WaitingRead[] = [];
  let calls = 0;

  function sendNext(): void {
    while (calls < MAX_CALLS) {
      const single = notInPage.shift();
      const [oldest] = waiting;
      if (single !== undefined) send(single, () => readOne([single]));
      else if (oldest !== undefined) sendFor(oldest);
      else return;
    }
  }

  function sendFor({ deviceId }: WaitingRead): void {
    const page = reach.plan(
      deviceId,
      waiting.map((read) => read.deviceId),
    );
    const batch = waiting.filter((read) => page?.ids.has(read.deviceId) ?? read.deviceId === deviceId);
    for (const read of batch) waiting.splice(waiting.indexOf(read), 1);
    const [first] = batch;
    if (first !== undefined) send(first, () => (page === undefined ? readOne(batch) : readPage(page, batch)));
  }

  /** Makes a call in the context of the read that has waited longest. */
  function send(read: WaitingRead, call: () => Promise<void>): void {
    calls += 1;
    read.inContext(() => {
      void call().then(() => {
        calls -= 1;
        sendNext();
      });
    });
  }

  /** Settles reads of the same device: the client shares one call among them. Never rejects. */
  async function readOne(batch: readonly WaitingRead[]): Promise<void> {
    await Promise.all(
      batch.map(
        ({ deviceId, inContext, resolve }) =>
          new Promise<void>((done) =>
            inContext(() => {
              const device = devices.retrieve(deviceId);
              resolve(device);
              device.then(
                () => done(),
                () => done(),
              );
            }),
          ),
      ),
    );
  }

  /** Settles the reads whose device is in the page, and leaves the others for calls of their own. Never rejects. */
  async function readPage(page: PlannedPage, batch: readonly WaitingRead[]): Promise<void> {
    const found = new Map<number, Device>();
    const calls: ApiCall[] = [];
    const warnings: AnswerWarning[] = [];
    let failure: unknown;
    /** The page ends here, and the list goes on. */
    let end = Infinity;
    try {
      const { data, hasMore } = await recordCalls(calls, () =>
        recordWarnings(warnings, () => devices.listPage(page, { includeAwaitingEnrollment: true })),
      );
      for (const device of data) found.set(device.id, device);
      reach.learn(page, [...found.keys()]);
      end = (hasMore ? data.at(-1)?.id : undefined) ?? Infinity;
      // Perhaps this server does not start a page behind an id that no device has.
      if (!batch.some(({ deviceId }) => found.has(deviceId))) reach.pause();
    } catch (error) {
      failure = error;
      if (!isUnavailable(error)) reach.pause();
    }
    const beyond: WaitingRead[] = [];
    for (const [index, read] of batch.entries()) {
      read.inContext(() => {
        for (const call of calls) recordCall(index === 0 ? call : { ...call, durationMs: 0, shared: true });
        for (const warning of warnings) if (warning.recordId === read.deviceId) recordWarning(warning);
      });
      const device = found.get(read.deviceId);
      if (device !== undefined) read.resolve(device);
      else if (read.deviceId > end) beyond.push(read);
      else if (failure === undefined || isRefusal(failure)) notInPage.push(read);
      else read.reject(failure);
    }
    waiting.unshift(...beyond);
  }

  return {
    retrieve: (deviceId) =>
      new Promise((resolve, reject) => {
        waiting.push({ deviceId, resolve, reject, inContext: AsyncResource.bind((task) => task()) });
        sendNext();
      }),
  };
}

/** The account, not the page, is the reason. */
function isUnavailable(error: unknown): boolean {
  return error instanceof SimpleMdmError && (error.isAccountUnavailable || error.failure.kind === 'stopped');
}

/** SimpleMDM does not accept the request for the page; it may accept the one for the device. */
function isRefusal(error: unknown): boolean {
  return error instanceof SimpleMdmError && !error.isRetryable && !isUnavailable(error);
}
