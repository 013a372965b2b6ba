/** The platforms of devices. */
export const PLATFORMS = ['macOS', 'iOS', 'iPadOS', 'tvOS', 'watchOS', 'visionOS'] as const;

/** The platform of a device. */
export type Platform = (typeof PLATFORMS)[number];

/** The attributes that reveal the platform. */
export interface PlatformHints {
  readonly product_name?: string | null | undefined;
  readonly model_name?: string | null | undefined;
  readonly os_version?: string | null | undefined;
}

/**
 * The platform of a device, which the API does not return: derived from Apple's product identifier (`MacBookPro18,3`, `Mac14,2`,
 * `iPhone9,1`), or else from the model name. Null for a device that has not enrolled yet.
 */
export function platformOf({
  product_name: product,
  model_name: model,
  os_version: version,
}: PlatformHints): Platform | null {
  for (const name of [product, model]) {
    if (name === null || name === undefined) continue;
    if (/^(VirtualMac|iMac|Mac|Xserve)/i.test(name)) return 'macOS';
    if (/^(iPhone|iPod)/i.test(name)) return 'iOS';
    // iPads ran iOS before version 13.
    if (/^iPad/i.test(name)) return Number.parseInt(version ?? '', 10) < 13 ? 'iOS' : 'iPadOS';
    if (/^Apple ?TV/i.test(name)) return 'tvOS';
    if (/^(Apple )?Watch/i.test(name)) return 'watchOS';
    if (/^(RealityDevice|Apple Vision)/i.test(name)) return 'visionOS';
  }
  return null;
}
