import { blankAttributes } from './device-attributes.js';
import type { Device, DeviceUser } from './device.js';
import { deviceUser } from './device-users.js';
import { attributesOf, platformOf, type DeviceKind } from './hardware.js';
import { appsOfNew, installedApps, mikesApps, sunsetRun } from './installed-apps.js';
import { macbookApps } from './macbook-apps.js';
import { mikesIphone } from './mikes-iphone.js';

const enrolledAt = '2024-03-04T09:12:45.000-08:00';

/** The initial devices. Device 121 is the one of the reference. */
export function initialDevices(nextAppId: () => number): Device[] {
  const enrolledDevice = (
    kind: DeviceKind,
    id: number,
    groupId: number,
    name: string,
    serialNumber: string,
  ): Device => ({
    id,
    platform: platformOf[kind],
    attributes: attributesOf(kind, { name, serialNumber, udid: udidOf(id), at: enrolledAt }),
    groupId,
    apps: appsOfNew(kind, nextAppId, enrolledAt),
    users: [],
    customValues: new Map(),
  });

  const macbook = enrolledDevice('macbook', 54, 41, "Priya's MacBook Pro", 'C02XK1ZMJGH5');
  const appleTv = enrolledDevice('apple_tv', 117, 1, 'Boardroom Apple TV', 'DY5ZL0P9Q1KD');
  const ipad = enrolledDevice('ipad', 98, 38, 'Front Desk iPad', 'DMPZK4A1MF3M');
  return [
    waitingDevice(11),
    {
      ...macbook,
      apps: installedApps(macbookApps, nextAppId, enrolledAt),
      users: initialUsers(),
      customValues: new Map([
        ['department', 'Engineering'],
        ['local_admin_password', 'plum-harbour-72-quartz'],
      ]),
    },
    {
      ...enrolledDevice('mac_mini', 56, 1, 'Build Server', 'C07ZR0BWJYVX'),
      users: initialUsers().slice(0, 1),
    },
    { ...ipad, apps: [sunsetRun(), ...ipad.apps] },
    { ...appleTv, attributes: { ...appleTv.attributes, is_supervised: false, is_dep_enrollment: false } },
    {
      ...enrolledDevice('iphone', 121, 1, "Mike's iPhone", 'DNFJE9DNG5MG'),
      attributes: mikesIphone(),
      apps: mikesApps(),
    },
  ];
}

/** The device of one-time enrollment 5 of the reference. */
function waitingDevice(id: number): Device {
  return {
    id,
    platform: 'unknown',
    attributes: {
      ...blankAttributes('Spare MacBook'),
      enrollment_url: 'https://a.simplemdm.com/e/?c=86534893',
    },
    groupId: 1,
    apps: [],
    users: [],
    customValues: new Map(),
  };
}

function udidOf(id: number): string {
  return `868F7125-B1AF-5139-B71F-${id.toString().padStart(12, '0')}`;
}

const initialUsers = (): DeviceUser[] => [
  deviceUser({
    id: 5,
    username: 'userone',
    full_name: 'User One',
    user_guid: '2DEE464E-0C21-4D0C-8B5B-0F74655ED54E',
  }),
  {
    ...deviceUser({
      id: 6,
      username: 'usertwo',
      full_name: 'User Two',
      user_guid: 'AABBA42B-8078-48BA-9DA7-2CB6B0BC7272',
    }),
    uid: 502,
    logged_in: false,
  },
];
