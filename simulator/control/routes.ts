import { z } from 'zod';
import { accepted, created, noContent, notFound, ok, unprocessable, type Answer } from '../api/answer.js';
import { faultSchema } from '../api/faults.js';
import type { Params } from '../api/params.js';
import type { Method } from '../api/route.js';
import { newHardwareSchema } from '../scenarios/business-manager.js';
import { enrollingDeviceSchema, enrollingManySchema } from '../scenarios/enroll.js';
import type { Simulator } from '../simulator.js';
import { deliveryFaultSchema } from '../webhooks/delivery-faults.js';

/** What can be done to a simulator from outside: all it offers in process, except to stop it. */
export type Controlled = Omit<Simulator, 'url' | 'origin' | 'close' | 'webhooksSettled' | 'setWebhook'>;

interface ControlRoute {
  method: Method;
  path: string;
  /** What it is for, as the index tells it. */
  about: string;
  handle(request: { path: Readonly<Record<string, string>>; body: Params }): Answer;
}

const unenrolling = z.strictObject({ webhook: z.boolean().optional() });
const resending = z.strictObject({
  last: z.int().positive().default(1),
  reversed: z.boolean().default(false),
  delayMs: z.number().nonnegative().default(0),
});

/** The control of the simulator over HTTP: the same as in process, for people and for other processes. */
export function controlRoutes(simulator: Controlled): ControlRoute[] {
  const routes: ControlRoute[] = [
    {
      method: 'GET',
      path: '/calls',
      about: 'the API calls so far',
      handle: () => ok({ data: simulator.calls() }),
    },
    {
      method: 'DELETE',
      path: '/calls',
      about: 'forget the API calls',
      handle: () => done(() => simulator.clearCalls()),
    },
    {
      method: 'POST',
      path: '/devices',
      about: 'enroll a device: {kind, name?, serialNumber?, groupId?, webhook?}',
      handle: ({ body }) =>
        parsed(enrollingDeviceSchema, body, (device) => created({ data: simulator.enroll(device) })),
    },
    {
      method: 'POST',
      path: '/devices/many',
      about: 'enroll many devices: {count, kind?, perSecond?, groupId?}',
      handle: ({ body }) =>
        parsed(enrollingManySchema, body, (many) => {
          simulator.enrollMany(many);
          return accepted();
        }),
    },
    {
      method: 'DELETE',
      path: '/devices/:id',
      about: 'unenroll a device: {webhook?}',
      handle: ({ path, body }) =>
        parsed(unenrolling, body, ({ webhook = true }) =>
          withDevice(path, (id) => done(() => simulator.unenroll(id, { webhook }))),
        ),
    },
    {
      method: 'POST',
      path: '/devices/:id/lock',
      about: 'lock a device',
      handle: ({ path }) => withDevice(path, (id) => done(() => simulator.lock(id))),
    },
    {
      method: 'POST',
      path: '/business-manager',
      about: 'add hardware to Apple Business Manager: {serialNumber?, model?, depServerId?}',
      handle: ({ body }) =>
        parsed(newHardwareSchema, body, (hardware) =>
          created({ data: simulator.addToBusinessManager(hardware) }),
        ),
    },
    {
      method: 'POST',
      path: '/test-event',
      about: 'send the test webhook',
      handle: () => done(() => simulator.sendTestEvent()),
    },
    {
      method: 'GET',
      path: '/faults',
      about: 'the faults that are on',
      handle: () => ok({ data: simulator.faults() }),
    },
    {
      method: 'POST',
      path: '/faults',
      about: 'make calls go wrong: {kind, method?, path?, status?, times?, probability?, effect?, …}',
      handle: ({ body }) =>
        parsed(faultSchema, body, (fault) => {
          simulator.addFault(fault);
          return created({ data: fault });
        }),
    },
    {
      method: 'DELETE',
      path: '/faults',
      about: 'let all calls go well again',
      handle: () => done(() => simulator.clearFaults()),
    },
    {
      method: 'GET',
      path: '/invitations',
      about: 'the invitations that were sent',
      handle: () => ok({ data: simulator.invitations() }),
    },
    {
      method: 'GET',
      path: '/script-jobs',
      about: 'the script jobs',
      handle: () => ok({ data: simulator.scriptJobs() }),
    },
    {
      method: 'GET',
      path: '/webhooks',
      about: 'the webhooks and how they were answered',
      handle: () => ok({ data: simulator.webhookDeliveries() }),
    },
    {
      method: 'GET',
      path: '/webhooks/faults',
      about: 'how webhooks go astray',
      handle: () => ok({ data: simulator.deliveryFaults() }),
    },
    {
      method: 'POST',
      path: '/webhooks/faults',
      about:
        'let webhooks go astray: {kind: late|twice|shuffled|lost, type?, times?, probability?, delayMs?, hold?}',
      handle: ({ body }) =>
        parsed(deliveryFaultSchema, body, (fault) => {
          simulator.addDeliveryFault(fault);
          return created({ data: fault });
        }),
    },
    {
      method: 'DELETE',
      path: '/webhooks/faults',
      about: 'let all webhooks arrive again',
      handle: () => done(() => simulator.clearDeliveryFaults()),
    },
    {
      method: 'POST',
      path: '/webhooks/resend',
      about: 'send the last webhooks again: {last?, reversed?, delayMs?}',
      handle: ({ body }) =>
        parsed(resending, body, (resend) => {
          simulator.resendWebhooks(resend);
          return accepted();
        }),
    },
  ];
  const index = routes.map(({ method, path, about }) => ({ method, path: `/__simulator${path}`, about }));
  return [
    {
      method: 'GET',
      path: '',
      about: 'this index',
      handle: () => ok({ data: index }),
    },
    ...routes,
  ];
}

function done(act: () => void): Answer {
  act();
  return noContent();
}

function withDevice(path: Readonly<Record<string, string>>, answer: (id: number) => Answer): Answer {
  const id = Number(path['id']);
  return Number.isInteger(id) ? answer(id) : notFound();
}

function parsed<S extends z.ZodType>(
  schema: S,
  body: Params,
  answer: (value: z.output<S>) => Answer,
): Answer {
  const result = schema.safeParse(body);
  if (result.success) return answer(result.data);
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  return unprocessable(problems.join('; '));
}
