import type { Platform } from './device.js';
import type { DeviceKind } from './hardware.js';

/** A model of Apple device. */
export interface DeviceModel {
  kind: DeviceKind;
  model_name: string;
  product_name: string;
  model: string;
  processor_architecture: string | null;
  /** Capacities in gigabytes, as devices report them. */
  capacities: readonly number[];
  /** The OS versions of the model: first and last index into the releases of its platform. */
  releases: readonly [number, number];
  /** The relative number of devices of this model. */
  share: number;
  hasBattery: boolean;
  hasCellular: boolean;
}

/** A release of an OS. */
export interface Release {
  version: string;
  build: string;
}

const mac: readonly Release[] = [
  { version: '12.7.6', build: '21H1320' },
  { version: '13.6.9', build: '22G830' },
  { version: '13.7.1', build: '22H221' },
  { version: '14.6.1', build: '23G93' },
  { version: '14.7.1', build: '23H222' },
  { version: '15.0.1', build: '24A348' },
  { version: '15.1', build: '24B83' },
  { version: '15.1.1', build: '24B91' },
];
const mobile: readonly Release[] = [
  { version: '15.8.3', build: '19H386' },
  { version: '16.7.10', build: '20H350' },
  { version: '17.6.1', build: '21G93' },
  { version: '17.7.1', build: '21H216' },
  { version: '18.0.1', build: '22A3370' },
  { version: '18.1', build: '22B83' },
  { version: '18.1.1', build: '22B91' },
];
const tv: readonly Release[] = [
  { version: '17.6.1', build: '21M80' },
  { version: '18.0', build: '22J357' },
  { version: '18.1', build: '22J580' },
];

/** The OS releases of each kind, oldest first. */
export const releasesOf: Readonly<Record<DeviceKind, readonly Release[]>> = {
  macbook: mac,
  mac_mini: mac,
  iphone: mobile,
  ipad: mobile,
  apple_tv: tv,
};

const apple = 'arm64';
const intel = 'x86_64';

/** The models of a generated fleet. */
export const deviceModels: readonly DeviceModel[] = [
  laptop('MacBook Air (M1, 2020)', 'MacBookAir10,1', 'MGN63LL/A', apple, [251, 494.38], [1, 7], 14),
  laptop('MacBook Air (13-inch, M3, 2024)', 'Mac15,12', 'MRXN3LL/A', apple, [251, 494.38], [3, 7], 10),
  laptop('MacBook Pro (14-inch, Nov 2023)', 'Mac15,6', 'MRX33LL/A', apple, [494.38, 994.66], [4, 7], 8),
  laptop('MacBook Pro (16-inch, 2021)', 'MacBookPro18,1', 'MK183LL/A', apple, [494.38, 994.66], [1, 7], 4),
  laptop('MacBook Pro (13-inch, 2018)', 'MacBookPro15,2', 'MR9Q2LL/A', intel, [250.69, 500.07], [0, 6], 3),
  desktop('Mac mini (2018)', 'Macmini8,1', 'MRTR2LL/A', intel, [250.69], [0, 7], 2),
  desktop('Mac mini (M2, 2023)', 'Mac14,3', 'MMFJ3LL/A', apple, [245.1, 494.38], [2, 7], 3),
  desktop('iMac (24-inch, M1, 2021)', 'iMac21,1', 'MGPK3LL/A', apple, [245.1, 494.38], [1, 7], 3),
  desktop('Mac Studio (2023)', 'Mac14,13', 'MQH73LL/A', apple, [494.38, 994.66], [3, 7], 1),
  phone('iPhone 8', 'iPhone10,1', 'MQ6K2LL/A', [64, 256], [0, 1], 2),
  phone('iPhone 11', 'iPhone12,1', 'MWLT2LL/A', [64, 128], [1, 6], 6),
  phone('iPhone 13', 'iPhone14,5', 'MLMT3LL/A', [128, 256], [2, 6], 8),
  phone('iPhone SE (3rd generation)', 'iPhone14,6', 'MMX53LL/A', [64, 128], [2, 6], 5),
  phone('iPhone 15', 'iPhone15,4', 'MTLK3LL/A', [128, 256], [4, 6], 7),
  tablet('iPad (7th generation)', 'iPad7,11', 'MW742LL/A', [32, 128], [1, 6], 4, false),
  tablet('iPad (9th generation)', 'iPad12,1', 'MK2K3LL/A', [64, 256], [1, 6], 8, false),
  tablet('iPad (10th generation)', 'iPad13,18', 'MPQ03LL/A', [64, 256], [2, 6], 6, false),
  tablet('iPad Pro (11-inch) (4th generation)', 'iPad14,4', 'MNYC3LL/A', [128, 256], [3, 6], 2, true),
  {
    ...tablet('Apple TV 4K (3rd generation)', 'AppleTV14,1', 'MN873LL/A', [64, 128], [0, 2], 4, false),
    kind: 'apple_tv',
    hasBattery: false,
  },
];

type ModelColumns = [string, string, string, string, readonly number[], readonly [number, number], number];

function laptop(...columns: ModelColumns): DeviceModel {
  return { ...desktop(...columns), kind: 'macbook', hasBattery: true };
}

function desktop(
  ...[model_name, product_name, model, chip, capacities, releases, share]: ModelColumns
): DeviceModel {
  return {
    kind: 'mac_mini',
    model_name,
    product_name,
    model,
    processor_architecture: chip,
    capacities,
    releases,
    share,
    hasBattery: false,
    hasCellular: false,
  };
}

function phone(
  model_name: string,
  product_name: string,
  model: string,
  capacities: readonly number[],
  releases: readonly [number, number],
  share: number,
): DeviceModel {
  return {
    ...tablet(model_name, product_name, model, capacities, releases, share, true),
    kind: 'iphone',
  };
}

function tablet(
  model_name: string,
  product_name: string,
  model: string,
  capacities: readonly number[],
  releases: readonly [number, number],
  share: number,
  hasCellular: boolean,
): DeviceModel {
  return {
    kind: 'ipad',
    model_name,
    product_name,
    model,
    processor_architecture: null,
    capacities,
    releases,
    share,
    hasBattery: true,
    hasCellular,
  };
}

/** The newest release for a platform. */
export function newestRelease(platform: Platform): Release {
  const releases = platform === 'macOS' ? mac : platform === 'tvOS' ? tv : mobile;
  return releases.at(-1) ?? { version: '1.0', build: '1A1' };
}
