import { createCallLog } from './api/call-log.js';
import { createFaultList, type Fault } from './api/faults.js';
import { apiRoot, createApi } from './api/create-api.js';
import { createRealClock, createStoppableClock } from './clock.js';
import { controlRoot, createControl } from './control/create-control.js';
import { createFleet } from './fleet/create-fleet.js';
import { seededRandom } from './fleet/random.js';
import { addToBusinessManager, type NewHardware } from './scenarios/business-manager.js';
import { enroll, enrollMany, type EnrollRequest, type EnrollManyRequest } from './scenarios/enroll.js';
import { lock } from './scenarios/lock.js';
import { unenroll } from './scenarios/unenroll.js';
import { closeServer, listen, originOf } from './listen.js';
import { deviceRecord } from './resources/device-record.js';
import { inReferenceEdition } from './resources/reference-edition.js';
import { apiRoutes } from './resources/routes.js';
import { scriptJobRecord } from './resources/script-jobs.js';
import type { Simulator, SimulatorOptions } from './simulator.js';
import type { DeliveryFault } from './webhooks/delivery-faults.js';
import { createWebhooks, type Resend, type WebhookTarget } from './webhooks/webhooks.js';

// The public interface of the simulator.
export type { RecordedCall } from './api/call-log.js';
export type { Fault } from './api/faults.js';
export { createManualClock, createRealClock, type ManualClock, type SimulatorClock } from './clock.js';
export type { DeviceKind } from './fleet/hardware.js';
export type { EnrolledDevice } from './scenarios/enroll.js';
export type { Simulator, SimulatorOptions } from './simulator.js';

/** Starts a simulated SimpleMDM account: API, webhooks and control API on one port. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { port = 0, host = '127.0.0.1', apiKey, readOnlyApiKey, webhook, rateLimit, delays } = options;
  const clock = createStoppableClock(options.clock ?? createRealClock());
  const random = options.seed === undefined ? Math.random : seededRandom(options.seed);
  const webhooks = createWebhooks(clock, webhook, random);
  const fleet = createFleet(clock, webhooks, {
    ...(delays && { delays }),
    ...(options.fleet && { seed: options.fleet }),
    conflicts: options.conflicts ?? false,
  });
  const faults = createFaultList(random);
  const callLog = createCallLog();

  const controls = {
    calls: () => callLog.all(),
    clearCalls: () => callLog.clear(),
    enroll: (device: EnrollRequest) => enroll(fleet, device),
    enrollMany: (many: EnrollManyRequest) => enrollMany(fleet, many),
    unenroll: (deviceId: number, options?: { webhook?: boolean }) =>
      assertFound(deviceId, unenroll(fleet, deviceId, options)),
    lock: (deviceId: number) => assertFound(deviceId, lock(fleet, deviceId)),
    addToBusinessManager: (hardware: NewHardware) => addToBusinessManager(fleet, hardware),
    sendTestEvent: () => webhooks.post('test_event', {}),
    addFault: (fault: Fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
    faults: () => faults.all(),
    addDeliveryFault: (fault: DeliveryFault) => webhooks.faults.add(fault),
    clearDeliveryFaults: () => webhooks.faults.clear(),
    deliveryFaults: () => webhooks.faults.all(),
    invitations: () => fleet.invitations.map((invitation) => ({ ...invitation })),
    scriptJobs: () => [...fleet.scriptJobs.values()].map(scriptJobRecord),
    device: (id: number) => {
      const device = fleet.devices.get(id);
      return device === undefined ? undefined : deviceRecord(fleet, device, true);
    },
    webhookDeliveries: () => webhooks.deliveries(),
    webhooksSettled: () => webhooks.settled(),
    resendWebhooks: (resend: Resend) => webhooks.resend(resend),
    setWebhook: (target: WebhookTarget | undefined) => webhooks.setTarget(target),
  };

  const api = createApi({
    keys: { apiKey, ...(readOnlyApiKey !== undefined && { readOnlyApiKey }) },
    routes: apiRoutes(fleet),
    clock,
    faults,
    callLog,
    ...(rateLimit !== undefined && { rateLimit }),
    ...(options.edition === 'reference' && { present: inReferenceEdition }),
  });
  const control = createControl(controls);

  const server = await listen(
    async (request, response) => {
      const path = request.url ?? '/';
      if (path.startsWith(controlRoot)) await control(request, response);
      else if (path.startsWith(`${apiRoot}/`)) await api(request, response);
      else response.writeHead(404, { 'content-type': 'text/plain' }).end(`The API is at ${apiRoot}\n`);
    },
    port,
    host,
  );
  const origin = originOf(server, host);

  return {
    ...controls,
    url: `${origin}${apiRoot}`,
    origin,
    close: async () => {
      clock.stop();
      await Promise.all([webhooks.stop(), closeServer(server)]);
    },
  };
}

function assertFound(deviceId: number, found: boolean): void {
  if (!found) throw new Error(`there is no device ${deviceId}`);
}
