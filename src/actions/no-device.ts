/** Why an action on a device was not tried. */
export const NO_DEVICE =
  'the event is about no device that SimpleMDM knows (it may have left, or not have enrolled yet)';
