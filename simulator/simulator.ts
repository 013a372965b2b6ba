import type { RecordedCall } from './api/call-log.js';
import type { Fault } from './api/faults.js';
import type { RateLimit } from './api/rate-limit.js';
import type { SimulatorClock } from './clock.js';
import type { Delays, Invitation } from './fleet/fleet.js';
import type { FleetSeed } from './fleet/generated-devices.js';
import type { NewHardware } from './scenarios/business-manager.js';
import type { EnrolledDevice, EnrollRequest, EnrollManyRequest } from './scenarios/enroll.js';
import type { DeviceRecord } from './resources/device-record.js';
import type { ScriptJobRecord } from './resources/script-jobs.js';
import type { DeliveryFault } from './webhooks/delivery-faults.js';
import type { Resend, WebhookDelivery, WebhookTarget } from './webhooks/webhooks.js';

/** What records have. */
export const editions = ['current', 'reference'] as const;

export interface SimulatorOptions {
  /** Default: 0, any free port. */
  port?: number;
  host?: string;
  apiKey: string;
  /** A second key without write access: 403 for every call that writes. */
  readOnlyApiKey?: string;
  webhook?: WebhookTarget;
  rateLimit?: RateLimit;
  /** Default: the wall clock. */
  clock?: SimulatorClock;
  delays?: Delays;
  /** Makes random decisions repeatable (faults by probability, reordered webhooks). */
  seed?: number;
  /** Generated devices, in addition to those of the reference. */
  fleet?: FleetSeed;
  /** Whether an assignment or a removal that changes nothing is a 409 instead of a 204. */
  conflicts?: boolean;
  /**
   * What records have: everything seen in real accounts (`current`, the default), or only what the API reference shows
   * (`reference`).
   */
  edition?: (typeof editions)[number];
}

export interface Simulator {
  /** The base URL for API clients. */
  url: string;
  origin: string;
  /** The API calls so far, without calls to `/__simulator`. */
  calls(): RecordedCall[];
  clearCalls(): void;
  enroll(device: EnrollRequest): EnrolledDevice;
  /** Enrolls many devices, one after the other on the clock. */
  enrollMany(many: EnrollManyRequest): void;
  unenroll(deviceId: number, options?: { webhook?: boolean }): void;
  lock(deviceId: number): void;
  addToBusinessManager(hardware: NewHardware): { serialNumber: string };
  /** Sends the webhook of the "send test" button. */
  sendTestEvent(): void;
  addFault(fault: Fault): void;
  clearFaults(): void;
  faults(): Fault[];
  /** Delays, duplicates, reorders or loses webhooks. */
  addDeliveryFault(fault: DeliveryFault): void;
  clearDeliveryFaults(): void;
  deliveryFaults(): DeliveryFault[];
  invitations(): Invitation[];
  scriptJobs(): ScriptJobRecord[];
  device(id: number): DeviceRecord | undefined;
  webhookDeliveries(): WebhookDelivery[];
  /** Resolves when every webhook posted so far has its response or has failed. */
  webhooksSettled(): Promise<void>;
  resendWebhooks(resend: Resend): void;
  setWebhook(webhook: WebhookTarget | undefined): void;
  close(): Promise<void>;
}
