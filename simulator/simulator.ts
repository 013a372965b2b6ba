import type { RecordedCall } from './api/call-log.js';
import type { Fault } from './api/faults.js';
import type { RateLimit } from './api/rate-limit.js';
import type { SimulatorClock } from './clock.js';
import type { Delays, Invitation } from './fleet/fleet.js';
import type { FleetSeed } from './fleet/generated-devices.js';
import type { NewHardware } from './scenarios/business-manager.js';
import type { EnrolledDevice, EnrollingDevice, EnrollingMany } from './scenarios/enroll.js';
import type { DeviceRecord } from './resources/device-record.js';
import type { ScriptJobRecord } from './resources/script-jobs.js';
import type { DeliveryFault } from './webhooks/delivery-faults.js';
import type { Resend, WebhookDelivery, WebhookTarget } from './webhooks/webhooks.js';

export interface SimulatorOptions {
  /** 0, the default, is any free port. */
  port?: number;
  host?: string;
  apiKey: string;
  /** A second key that may read and gets 403 on anything that writes. */
  readOnlyApiKey?: string;
  webhook?: WebhookTarget;
  rateLimit?: RateLimit;
  /** The wall clock, unless a test brings its own. */
  clock?: SimulatorClock;
  delays?: Delays;
  /** What chance decides (faults by probability, webhooks out of order) is the same for the same seed. */
  seed?: number;
  /** Generated devices in addition to those of the reference. */
  fleet?: FleetSeed;
  /** Whether assigning what is assigned, or removing what is not there, is answered 409 in place of 204. */
  conflicts?: boolean;
}

export interface Simulator {
  /** What a client takes for its base URL. */
  url: string;
  origin: string;
  /** The API calls so far; those to `/__simulator` are not among them. */
  calls(): RecordedCall[];
  clearCalls(): void;
  enroll(device: EnrollingDevice): EnrolledDevice;
  /** Lets many devices enroll one after the other on the clock. */
  enrollMany(many: EnrollingMany): void;
  unenroll(deviceId: number, options?: { webhook?: boolean }): void;
  lock(deviceId: number): void;
  addToBusinessManager(hardware: NewHardware): { serialNumber: string };
  /** What the admin's "send test" button does. */
  sendTestEvent(): void;
  addFault(fault: Fault): void;
  clearFaults(): void;
  faults(): Fault[];
  /** Lets webhooks go astray. */
  addDeliveryFault(fault: DeliveryFault): void;
  clearDeliveryFaults(): void;
  deliveryFaults(): DeliveryFault[];
  invitations(): Invitation[];
  scriptJobs(): ScriptJobRecord[];
  device(id: number): DeviceRecord | undefined;
  webhookDeliveries(): WebhookDelivery[];
  /** Resolves when every webhook posted so far has been answered or has failed. */
  webhooksSettled(): Promise<void>;
  resendWebhooks(resend: Resend): void;
  setWebhook(webhook: WebhookTarget | undefined): void;
  close(): Promise<void>;
}
