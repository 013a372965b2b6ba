import type { z } from 'zod';
import { knownDevice } from '../enrichment/device.js';
import type { KnownDevice } from '../enrichment/device.js';
import { mayBe } from '../enrichment/platform.js';
import type { Platform } from '../enrichment/platform.js';
import type { ActionClass, ReferenceKind, Shape } from '../rules/model/vocabulary.js';
import { StepError, defineAction } from './action.js';
import type { Action, ActionContext, ActionResult } from './action.js';

/** An action on the event's device, as its file writes it. */
export interface DeviceActionDefinition<S extends z.ZodObject> {
  readonly about: string;
  readonly example: string;
  readonly causes?: string;
  readonly class?: ActionClass;
  readonly args: S;
  /** In addition to `device_id`. */
  readonly outputs?: Readonly<Record<string, Shape>>;
  readonly refersTo?: Readonly<Record<string, ReferenceKind>>;
  /**
   * The platforms that support the action; all by default. The step is skipped on other platforms. For a device of an unknown platform,
   * SimpleMDM decides.
   */
  readonly platforms?: readonly Platform[];
  /** Whether only supervised devices support the action. */
  readonly supervised?: boolean;
  /** Fields of `device` that `refuse` and `send` decide on, in addition to those of `platforms` and `supervised`. */
  readonly decidesOn?: readonly string[];
  /** What is wrong with the arguments for this device. The step then fails before any call. */
  readonly refuse?: (args: z.output<S>, device: KnownDevice) => string | undefined;
  /** Performs the action. A record in the result becomes output, together with `device_id`. */
  readonly send: (
    args: z.output<S>,
    device: KnownDevice,
    context: ActionContext,
  ) => Promise<Readonly<Record<string, unknown>> | number>;
  /**
   * Whether the action may be sent again when the outcome of an earlier attempt is unknown. If not, the step is skipped:
   * a device that restarts twice in someone's hands is worse than a restart that a person has to request again.
   */
  readonly repeatable: boolean;
}

/** The result of a step on a device when the event has none. */
export const SKIPPED_WITHOUT_DEVICE: ActionResult = {
  status: 'skipped',
  code: 'step/no-device',
  reason:
    'SimpleMDM does not know the device of the event (it has left, has not enrolled yet, or the event names none)',
};

const SKIPPED_UNKNOWN_OUTCOME: ActionResult = {
  status: 'skipped',
  code: 'step/not-repeated',
  reason: 'an earlier attempt got no response and may have taken effect: not sent again',
};

/** Makes an action on the event's device. Devices that do not support the action are skipped before any call. */
export function defineDeviceAction<S extends z.ZodObject>(definition: DeviceActionDefinition<S>): Action {
  const { outputs, platforms, supervised, decidesOn = [], refuse, send, repeatable, ...action } = definition;
  const requirements = { platforms, supervised };
  return defineAction({
    ...action,
    decidesOn: [
      ...(platforms === undefined ? [] : ['platform']),
      ...(supervised === true ? ['is_supervised'] : []),
      ...decidesOn,
    ],
    about: [action.about, ...requirementText(requirements)].join(' '),
    outputs: { device_id: 'number', ...outputs },
    facts: ['device'],
    perform: async (args, context): Promise<ActionResult> => {
      const device = knownDevice.parse(await context.fact('device'));
      if (device === null) return SKIPPED_WITHOUT_DEVICE;
      const unsupported = checkDevice(requirements, device);
      if (unsupported !== undefined) return unsupported;
      const refusal = refuse?.(args, device);
      if (refusal !== undefined) throw new StepError('step/invalid-argument', refusal);
      const output = await send(args, device, context);
      return {
        status: 'completed',
        output: { device_id: device.id, ...(typeof output === 'object' && output) },
      };
    },
    ...(!repeatable && { findEarlier: () => Promise.resolve(SKIPPED_UNKNOWN_OUTCOME) }),
  });
}

interface DeviceRequirements {
  readonly platforms: readonly Platform[] | undefined;
  readonly supervised: boolean | undefined;
}

/** What the documentation says about the devices that support the action. */
function requirementText({ platforms, supervised }: DeviceRequirements): string[] {
  if (platforms === undefined) return supervised === true ? ['Supervised devices only.'] : [];
  return [
    `${supervised === true ? 'Supervised ' : ''}${platforms.join(', ')} only; skipped on other devices.`,
  ];
}

function checkDevice(
  { platforms, supervised }: DeviceRequirements,
  device: KnownDevice,
): ActionResult | undefined {
  const { platform, status, is_supervised: isSupervised } = device;
  if (status !== undefined && status !== null && status !== 'enrolled') {
    return {
      status: 'skipped',
      code: 'step/not-enrolled',
      reason: `the device is not enrolled: its status is ${status}`,
    };
  }
  if (platforms !== undefined && !mayBe(platform, platforms)) {
    return {
      status: 'skipped',
      code: 'step/unsupported-platform',
      reason: `only ${platforms.join(', ')} devices support this action; this device is ${platformText(device)}`,
    };
  }
  if (supervised === true && isSupervised === false) {
    return {
      status: 'skipped',
      code: 'step/not-supervised',
      reason: 'only supervised devices support this action; this device is not supervised',
    };
  }
  return undefined;
}

/** The platform of a device for messages, with the model. */
export function platformText({ platform, model_name: model }: KnownDevice): string {
  const name = platform ?? 'unknown';
  return model ? `${name} (${model})` : name;
}
