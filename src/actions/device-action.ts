import type { z } from 'zod';
import { knownDevice } from '../enrichment/device.js';
import type { KnownDevice } from '../enrichment/device.js';
import type { Platform } from '../enrichment/platform.js';
import type { ActionClass, ReferenceKind, Shape } from '../rules/model/vocabulary.js';
import { StepError, defineAction } from './action.js';
import type { Action, ActionContext, ActionResult } from './action.js';
import { NO_DEVICE } from './no-device.js';

/** How an action on the event's device is written down. */
export interface DeviceActionDefinition<S extends z.ZodObject> {
  readonly about: string;
  readonly example: string;
  readonly causes?: string;
  readonly class?: ActionClass;
  readonly args: S;
  readonly outputs?: Readonly<Record<string, Shape>>;
  readonly refersTo?: Readonly<Record<string, ReferenceKind>>;
  /** The platforms that know it; all when left out. On another the step is skipped. */
  readonly platforms?: readonly Platform[];
  /** Whether only supervised devices do it. */
  readonly supervised?: boolean;
  /** What is wrong with the arguments for this device, if anything: the step fails before any call. */
  readonly refuse?: (args: z.output<S>, device: KnownDevice) => string | undefined;
  /** Does it. What it gives is left behind beside `device_id`. */
  readonly send: (
    args: z.output<S>,
    device: KnownDevice,
    context: ActionContext,
  ) => Promise<Readonly<Record<string, unknown>> | number>;
  /**
   * Whether it may be sent again when it is not known whether it was taken on. What may not is left at that: a device that
   * restarts twice in someone's hands is worse than one whose restart has to be asked for again.
   */
  readonly repeatable: boolean;
}

const MAY_HAVE_BEEN_DONE =
  'an earlier attempt got no answer and may have been taken on by SimpleMDM: it is not sent again';

/** Makes an action on the event's device: what the device cannot do is known before any call is made. */
export function defineDeviceAction<S extends z.ZodObject>(definition: DeviceActionDefinition<S>): Action {
  const {
    about,
    example,
    causes,
    class: actionClass,
    args,
    outputs,
    refersTo,
    refuse,
    send,
    repeatable,
  } = definition;
  return defineAction({
    about: [about, ...limitsInWords(definition)].join(' '),
    example,
    ...(causes !== undefined && { causes }),
    ...(actionClass && { class: actionClass }),
    ...(refersTo && { refersTo }),
    args,
    outputs: { device_id: 'number', ...outputs },
    facts: ['device'],
    perform: async (given, context): Promise<ActionResult> => {
      const device = knownDevice.parse(await context.fact('device'));
      if (device === null) return { status: 'skipped', reason: NO_DEVICE };
      const cannot = limitOf(definition, device);
      if (cannot !== undefined) return { status: 'skipped', reason: cannot };
      const wrong = refuse?.(given, device);
      if (wrong !== undefined) throw new StepError('step/failed', wrong);
      const left = await send(given, device, context);
      return {
        status: 'completed',
        output: { device_id: device.id, ...(typeof left === 'object' && left) },
      };
    },
    ...(!repeatable && {
      findEarlier: () => Promise.resolve({ status: 'skipped' as const, reason: MAY_HAVE_BEEN_DONE }),
    }),
  });
}

/** What the documentation says of the devices that can do it. */
function limitsInWords({
  platforms,
  supervised,
}: Pick<DeviceActionDefinition<z.ZodObject>, 'platforms' | 'supervised'>): string[] {
  if (platforms === undefined) return supervised === true ? ['Supervised devices only.'] : [];
  return [
    `${supervised === true ? 'Supervised ' : ''}${platforms.join(', ')} only; skipped with the reason elsewhere.`,
  ];
}

function limitOf(
  { platforms, supervised }: Pick<DeviceActionDefinition<z.ZodObject>, 'platforms' | 'supervised'>,
  device: KnownDevice,
): string | undefined {
  const { platform, status, is_supervised: isSupervised, model_name: model } = device;
  if (status !== undefined && status !== null && status !== 'enrolled') {
    return `the device is not enrolled: it is ${status}`;
  }
  if (platforms !== undefined && !platforms.some((known) => known === platform)) {
    const it = platform === null ? 'of an unknown platform' : model ? `${platform} (${model})` : platform;
    return `only ${platforms.join(', ')} devices can do this; this one is ${it}`;
  }
  if (supervised === true && isSupervised === false)
    return 'only supervised devices can do this; this one is not';
  return undefined;
}
