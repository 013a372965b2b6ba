/** The platforms of devices. `unknown`: the device has reported what it is, and this service does not know it. */
export const PLATFORMS = [
  'macOS',
  'iOS',
  'iPadOS',
  'tvOS',
  'watchOS',
  'visionOS',
  'audioOS',
  'unknown',
] as const;

/** The platform of a device. */
export type Platform = (typeof PLATFORMS)[number];

/**
 * Whether a device may be of a platform. A device of an unknown platform may be of any: SimpleMDM knows it, and refuses what the device
 * does not support.
 */
export function mayBe(platform: string | null, wanted: readonly Platform[]): boolean {
  return platform === null || platform === 'unknown' || wanted.some((name) => name === platform);
}

/** The attributes that reveal the platform. */
export interface PlatformHints {
  readonly product_name?: string | null | undefined;
  readonly model_name?: string | null | undefined;
  readonly model?: string | null | undefined;
  readonly os_version?: string | null | undefined;
  readonly filevault_enabled?: boolean | null | undefined;
  readonly system_integrity_protection_enabled?: boolean | null | undefined;
  readonly firewall?: { readonly enabled?: boolean | null | undefined } | null | undefined;
  readonly os_update?: Readonly<Record<string, unknown>> | null | undefined;
  readonly imei?: string | null | undefined;
  readonly meid?: string | null | undefined;
}

/** Names of Apple's product identifiers (`MacBookPro18,3`) and models (`MacBook Pro`), first match wins. */
const FAMILIES: readonly [RegExp, Platform | 'iPad'][] = [
  [/^(?:VirtualMac|iMac|Mac|Xserve|Apple Virtual Machine)/i, 'macOS'],
  // The product names that virtual machines with macOS report.
  [/^(?:VMware|Parallels|QEMU|UTM|VirtualBox|KVM|Hyper-V|Standard PC)/i, 'macOS'],
  [/^(?:iPhone|iPod)/i, 'iOS'],
  [/^iPad/i, 'iPad'],
  [/^Apple ?TV/i, 'tvOS'],
  // Built on tvOS, but a rule for Apple TVs must not match a HomePod.
  [/^(?:AudioAccessory|HomePod)/i, 'audioOS'],
  [/^(?:Apple )?Watch/i, 'watchOS'],
  [/^(?:RealityDevice|Apple Vision)/i, 'visionOS'],
];

/**
 * The platform of a device, which the API does not return: from Apple's product identifier (`MacBookPro18,3`, `iPhone9,1`), or else the
 * model name, or else from attributes that only one platform has. Null for a device that has not reported what it is; `unknown` for one
 * that has, with names that this service does not know.
 */
export function platformOf(hints: PlatformHints): Platform | null {
  const names = namesOf(hints);
  for (const name of names) {
    const family = FAMILIES.find(([pattern]) => pattern.test(name))?.[1];
    if (family === 'iPad') return iPadPlatform(hints.os_version);
    if (family !== undefined) return family;
  }
  // Apple Business Manager knows the order number (`model`) before the device has reported anything.
  const hasReported = namesOf({ ...hints, model: null }).length > 0;
  return platformOfFields(hints) ?? (hasReported ? 'unknown' : null);
}

/** What SimpleMDM writes for the model of a device that has not reported it (reference: Devices, Create). */
export const NO_MODEL_NAME = 'Unknown';

/** The names that a device reports about itself, the most reliable first. */
function namesOf({ product_name, model_name, model }: PlatformHints): string[] {
  return [product_name, model_name, model].flatMap((name) => {
    const trimmed = name?.trim() ?? '';
    return trimmed === '' || trimmed === NO_MODEL_NAME ? [] : [trimmed];
  });
}

/** iPads ran iOS before version 13. */
function iPadPlatform(version: string | null | undefined): Platform {
  return Number.parseInt(version ?? '', 10) < 13 ? 'iOS' : 'iPadOS';
}

/**
 * The platform by fields that Macs alone report. Phones and tablets have them too, as null or (FileVault) false. An IMEI speaks against
 * a Mac, and does not tell an iPhone from an iPad.
 */
function platformOfFields(hints: PlatformHints): Platform | undefined {
  const isReported = (value: unknown): boolean => value !== null && value !== undefined && value !== '';
  if (isReported(hints.imei) || isReported(hints.meid)) return undefined;
  const ofMac = [
    hints.filevault_enabled === true ? true : null,
    hints.system_integrity_protection_enabled,
    hints.firewall?.enabled,
    ...Object.values(hints.os_update ?? {}),
  ];
  return ofMac.some(isReported) ? 'macOS' : undefined;
}
