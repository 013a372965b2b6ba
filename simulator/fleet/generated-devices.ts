import { timestamp } from '../timestamps.js';
import { deviceModels, releasesOf, type DeviceModel } from './device-models.js';
import { deviceUser } from './device-users.js';
import type { Device, DeviceUser } from './device.js';
import { attributesOf, platformOf, randomImei, randomPassword, serialAlphabet } from './hardware.js';
import { appsOfGenerated } from './installed-apps.js';
import { between, characters, oneOf, seededRandom, type Random } from './random.js';

/** The parameters of a generated fleet. The same seed gives the same fleet on every machine, in any order of access. */
export interface FleetSeed {
  /** 1 to 100,000. */
  devices: number;
  seed: number;
}

/** Devices that are generated on access and not stored. Their ids are consecutive. */
export interface GeneratedDevices {
  firstId: number;
  count: number;
  device(id: number): Device;
  /** The device group of a device, without generating the device. */
  groupOf(id: number): number;
  /** The id that a serial number encodes. The serial number of that device may differ. */
  idOfSerial(serialNumber: string): number | undefined;
  /** The id of the device of an installed app. */
  idOfApp(appId: number): number | undefined;
}

/** The id of the first generated device. */
export const firstGeneratedId = 10_000;
const firstAppId = 20_000_000_000;
/** Exceeds the number of apps of any device. */
const appsPerDevice = 1000;

const day = 24 * 60 * 60 * 1000;
const totalShare = deviceModels.reduce((sum, { share }) => sum + share, 0);
const givenNames =
  'Ada Alan Amir Anna Ben Chen Clara Dana Emil Eva Fatima Finn Grace Hugo Ines Ivan Jonas Kai Lena Leo Lin Maya Mia Nora Omar Paul Priya Rosa Sam Sofia Tom Uma Vera Yara Zoe'.split(
    ' ',
  );
const departments = ['Engineering', 'Sales', 'Marketing', 'Support', 'Finance', 'People', 'Facilities'];

/** Creates the devices of a seed, with times before `now`, spread over the device groups. */
export function generatedDevices(
  { devices: count, seed }: FleetSeed,
  now: Date,
  groupIds: readonly number[],
): GeneratedDevices {
  // Random numbers of its own: the members of a group are found without generating a large fleet.
  const groupOf = (id: number): number => oneOf(seededRandom(seed, id, groupIds.length), groupIds);
  return {
    firstId: firstGeneratedId,
    count,
    device: (id) => generate(id, seededRandom(seed, id), now.getTime(), groupOf(id)),
    groupOf,
    idOfSerial: (serialNumber) => inRange(numberOfSuffix(serialNumber.slice(-4)) + firstGeneratedId),
    idOfApp: (appId) => inRange(Math.floor((appId - firstAppId) / appsPerDevice)),
  };

  function inRange(id: number): number | undefined {
    return id >= firstGeneratedId && id < firstGeneratedId + count ? id : undefined;
  }
}

function generate(id: number, random: Random, now: number, groupId: number): Device {
  const model = modelFor(random);
  const { kind } = model;
  const owner = oneOf(random, givenNames);
  const shared = kind === 'apple_tv' || random() < 0.15;
  const name = shared
    ? `${model.model_name.split(' (')[0] ?? kind} ${id}`
    : `${owner}'s ${shortName(model)} ${id}`;
  const enrolledAt = now - between(random, 1, 1500) * day - between(random, 0, day);
  const lastSeenAt = Math.max(enrolledAt, now - millisecondsSinceSeen(random));
  const serialNumber = characters(random, serialAlphabet, 8) + serialSuffix(id - firstGeneratedId);
  const udid = udidOf(random);
  const at = timestamp(new Date(enrolledAt));
  const attributes = {
    ...attributesOf(kind, { name, serialNumber, udid, at }, random),
    ...ofModel(model, random),
    last_seen_at: timestamp(new Date(lastSeenAt)),
    last_seen_ip: `203.0.113.${between(random, 1, 254)}`,
  };
  const department = oneOf(random, departments);
  const appSeed = Math.floor(random() * 2 ** 31);
  const isMac = platformOf[kind] === 'macOS';
  let apps: Device['apps'] | undefined;
  return {
    id,
    platform: platformOf[kind],
    attributes,
    groupId,
    // Generated on access: most callers do not read the apps.
    get apps() {
      return (apps ??= appsOfGenerated(kind, seededRandom(appSeed), firstAppId + id * appsPerDevice, {
        discoveredAt: at,
        lastSeenAt: timestamp(new Date(lastSeenAt)),
      }));
    },
    set apps(changed) {
      apps = changed;
    },
    users: isMac ? [userOf(id, owner)] : [],
    customValues: new Map([['department', department]]),
  };
}

function modelFor(random: Random): DeviceModel {
  let left = random() * totalShare;
  for (const model of deviceModels) {
    left -= model.share;
    if (left < 0) return model;
  }
  return oneOf(random, deviceModels);
}

function ofModel(model: DeviceModel, random: Random) {
  const {
    kind,
    model_name,
    product_name,
    model: number,
    processor_architecture,
    hasBattery,
    hasCellular,
  } = model;
  const [oldest, newest] = model.releases;
  // Most devices are up to date.
  const index = random() < 0.6 ? newest : between(random, oldest, newest);
  const release = releasesOf[kind][index] ?? oneOf(random, releasesOf[kind]);
  const capacity = oneOf(random, model.capacities);
  const isMac = platformOf[kind] === 'macOS';
  const encrypted = isMac && random() < 0.9;
  const supervised = random() < 0.92;
  return {
    model_name,
    product_name,
    model: number,
    processor_architecture,
    os_version: release.version,
    build_version: release.build,
    device_capacity: capacity,
    available_device_capacity: Math.round(capacity * (0.03 + random() * 0.85) * 100) / 100,
    battery_level: hasBattery ? `${between(random, 4, 100)}%` : null,
    is_supervised: supervised,
    is_dep_enrollment: supervised,
    dep_enrolled: supervised,
    dep_assigned: supervised,
    filevault_enabled: encrypted,
    ...(!encrypted && { filevault_recovery_key: null }),
    ...(isMac && {
      firewall: { enabled: random() < 0.8, block_all_incoming: false, stealth_mode: random() < 0.3 },
    }),
    ...passwordsOf(model, random),
    ...(kind === 'ipad' && hasCellular && { imei: randomImei(random), cellular_technology: 3 }),
  };
}

/** Macs with Apple silicon have a recovery lock, Macs with Intel chips a firmware password. */
function passwordsOf({ processor_architecture: chip }: DeviceModel, random: Random) {
  if (chip === null) return {};
  const password = random() < 0.7 ? randomPassword(random) : null;
  const [recovery, firmware] = chip === 'arm64' ? [password, null] : [null, password];
  return {
    recovery_lock_password_enabled: recovery !== null,
    recovery_lock_password: recovery,
    firmware_password_enabled: firmware !== null,
    firmware_password: firmware,
  };
}

/** Most devices were seen today, some not for weeks or months. */
function millisecondsSinceSeen(random: Random): number {
  const kind = random();
  if (kind < 0.85) return between(random, 0, day);
  return kind < 0.95 ? between(random, 1, 14) * day : between(random, 15, 240) * day;
}

function shortName({ kind, model_name }: DeviceModel): string {
  return kind === 'macbook' || kind === 'mac_mini'
    ? (model_name.split(' (')[0] ?? 'Mac')
    : (model_name.split(' ')[0] ?? kind);
}

function udidOf(random: Random): string {
  const hex = characters(random, '0123456789ABCDEF', 32);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function userOf(id: number, owner: string): DeviceUser {
  return deviceUser({
    id: id * 10,
    username: owner.toLowerCase(),
    full_name: owner,
    user_guid: `00000000-0000-4000-8000-${id.toString(16).toUpperCase().padStart(12, '0')}`,
  });
}

/** Encodes a number below 34⁴ as four characters of a serial number. */
function serialSuffix(number: number): string {
  let text = '';
  for (let rest = number, place = 0; place < 4; place += 1, rest = Math.floor(rest / serialAlphabet.length)) {
    text = serialAlphabet.charAt(rest % serialAlphabet.length) + text;
  }
  return text;
}

function numberOfSuffix(text: string): number {
  return Array.from(text).reduce((sum, character) => {
    const digit = serialAlphabet.indexOf(character);
    return digit < 0 ? NaN : sum * serialAlphabet.length + digit;
  }, 0);
}
