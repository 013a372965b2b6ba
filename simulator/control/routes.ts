import { z } from 'zod';
import {
  accepted,
  created,
  noContent,
  notFound,
  ok,
  unprocessable,
  type ApiResponse,
} from '../api/response.js';
import { faultSchema } from '../api/faults.js';
import type { Params } from '../api/params.js';
import type { Method } from '../api/route.js';
import { newHardwareSchema } from '../scenarios/business-manager.js';
import { enrollRequestSchema, enrollManyRequestSchema } from '../scenarios/enroll.js';
import type { Simulator } from '../simulator.js';
import { deliveryFaultSchema } from '../webhooks/delivery-faults.js';

/** The part of the simulator that other processes can use: all but stopping it. */
export type SimulatorControls = Omit<
  Simulator,
  'url' | 'origin' | 'close' | 'webhooksSettled' | 'setWebhook'
>;

interface ControlRoute {
  method: Method;
  path: string;
  /** The description in the index. */
  description: string;
  handle(request: { path: Readonly<Record<string, string>>; body: Params }): ApiResponse;
}

const unenrollRequest = z.strictObject({ webhook: z.boolean().optional() });
const resendRequest = z.strictObject({
  last: z.int().positive().default(1),
  reversed: z.boolean().default(false),
  delayMs: z.number().nonnegative().default(0),
});

/** The control API: the functions of `Simulator` over HTTP, for people and for other processes. */
export function controlRoutes(controls: SimulatorControls): ControlRoute[] {
  const routes: ControlRoute[] = [
    {
      method: 'GET',
      path: '/calls',
      description: 'list the API calls',
      handle: () => ok({ data: controls.calls() }),
    },
    {
      method: 'DELETE',
      path: '/calls',
      description: 'clear the list of API calls',
      handle: () => done(() => controls.clearCalls()),
    },
    {
      method: 'POST',
      path: '/devices',
      description: 'enroll a device: {kind, name?, serialNumber?, groupId?, webhook?, inventoryMs?}',
      handle: ({ body }) =>
        parsed(enrollRequestSchema, body, (device) => created({ data: controls.enroll(device) })),
    },
    {
      method: 'POST',
      path: '/devices/many',
      description: 'enroll many devices: {count, kind?, perSecond?, groupId?}',
      handle: ({ body }) =>
        parsed(enrollManyRequestSchema, body, (many) => {
          controls.enrollMany(many);
          return accepted();
        }),
    },
    {
      method: 'DELETE',
      path: '/devices/:id',
      description: 'unenroll a device: {webhook?}',
      handle: ({ path, body }) =>
        parsed(unenrollRequest, body, ({ webhook = true }) =>
          withDevice(path, (id) => done(() => controls.unenroll(id, { webhook }))),
        ),
    },
    {
      method: 'POST',
      path: '/devices/:id/lock',
      description: 'lock a device',
      handle: ({ path }) => withDevice(path, (id) => done(() => controls.lock(id))),
    },
    {
      method: 'POST',
      path: '/business-manager',
      description: 'add hardware to Apple Business Manager: {serialNumber?, model?, depServerId?}',
      handle: ({ body }) =>
        parsed(newHardwareSchema, body, (hardware) =>
          created({ data: controls.addToBusinessManager(hardware) }),
        ),
    },
    {
      method: 'POST',
      path: '/test-event',
      description: 'send a test webhook',
      handle: () => done(() => controls.sendTestEvent()),
    },
    {
      method: 'GET',
      path: '/faults',
      description: 'list the active faults',
      handle: () => ok({ data: controls.faults() }),
    },
    {
      method: 'POST',
      path: '/faults',
      description:
        'add a fault, which makes API calls fail: {kind, method?, path?, status?, times?, probability?, effect?, …}',
      handle: ({ body }) =>
        parsed(faultSchema, body, (fault) => {
          controls.addFault(fault);
          return created({ data: fault });
        }),
    },
    {
      method: 'DELETE',
      path: '/faults',
      description: 'clear the faults',
      handle: () => done(() => controls.clearFaults()),
    },
    {
      method: 'GET',
      path: '/invitations',
      description: 'list the sent invitations',
      handle: () => ok({ data: controls.invitations() }),
    },
    {
      method: 'GET',
      path: '/script-jobs',
      description: 'list the script jobs',
      handle: () => ok({ data: controls.scriptJobs() }),
    },
    {
      method: 'GET',
      path: '/webhooks',
      description: 'list the webhooks and their responses',
      handle: () => ok({ data: controls.webhookDeliveries() }),
    },
    {
      method: 'GET',
      path: '/webhooks/faults',
      description: 'list the active delivery faults',
      handle: () => ok({ data: controls.deliveryFaults() }),
    },
    {
      method: 'POST',
      path: '/webhooks/faults',
      description:
        'add a delivery fault, which delays, duplicates, reorders or loses webhooks: {kind: delayed|duplicated|reordered|lost, type?, times?, probability?, delayMs?, hold?}',
      handle: ({ body }) =>
        parsed(deliveryFaultSchema, body, (fault) => {
          controls.addDeliveryFault(fault);
          return created({ data: fault });
        }),
    },
    {
      method: 'DELETE',
      path: '/webhooks/faults',
      description: 'clear the delivery faults',
      handle: () => done(() => controls.clearDeliveryFaults()),
    },
    {
      method: 'POST',
      path: '/webhooks/resend',
      description: 'send the latest webhooks again: {last?, reversed?, delayMs?}',
      handle: ({ body }) =>
        parsed(resendRequest, body, (resend) => {
          controls.resendWebhooks(resend);
          return accepted();
        }),
    },
  ];
  const index = routes.map(({ method, path, description }) => ({
    method,
    path: `/__simulator${path}`,
    description,
  }));
  return [
    {
      method: 'GET',
      path: '',
      description: 'show this index',
      handle: () => ok({ data: index }),
    },
    ...routes,
  ];
}

function done(act: () => void): ApiResponse {
  act();
  return noContent();
}

function withDevice(
  path: Readonly<Record<string, string>>,
  handle: (id: number) => ApiResponse,
): ApiResponse {
  const id = Number(path['id']);
  return Number.isInteger(id) ? handle(id) : notFound();
}

function parsed<S extends z.ZodType>(
  schema: S,
  body: Params,
  handle: (value: z.output<S>) => ApiResponse,
): ApiResponse {
  const result = schema.safeParse(body);
  if (result.success) return handle(result.data);
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  return unprocessable(problems.join('; '));
}
