import { Worker } from 'bullmq';
import type { Job } from 'bullmq';
import { isRedisUnreachable } from './connection.js';

/** How long a worker rests after Redis refused to give it a job. */
const REST_MS = 1000;

/**
 * A BullMQ worker that rests when Redis refuses to give it a job: it is read-only or full, or its user lost a right. BullMQ waits only when the
 * connection is lost. It asks again at once after any other error, which takes a whole CPU and starves everything else in the process.
 */
export class PatientWorker extends Worker<unknown, void> {
  protected override async moveToActive(token: string, name?: string): Promise<Job<unknown, void>> {
    try {
      return await super.moveToActive(token, name);
    } catch (error) {
      if (!isRedisUnreachable(error)) await this.rest();
      throw error;
    }
  }

  /** Ends early when the worker closes. */
  private async rest(): Promise<void> {
    const until = Date.now() + REST_MS;
    while (Date.now() < until && this.closing === undefined) await this.delay(100);
  }
}
