import { deviceIdOf } from '../enrichment/device-list.js';
import type { ActionContext } from './action.js';

/** Why an action on a device was not tried. */
export const NO_DEVICE =
  'the event is about no device that SimpleMDM knows (it may have left, or not have enrolled yet)';

/** The id of the device that the event is about, or undefined when SimpleMDM has no such device. */
export function targetDeviceId({ event, fact }: ActionContext): Promise<number | undefined> {
  return deviceIdOf({ event, fact });
}
