import { macbookApps } from './macbook-apps.js';
import { platformOf, type DeviceKind } from './hardware.js';
import type { InstalledApp } from './device.js';
import { between, type Random } from './random.js';

const newMac = [
  'App Store;com.apple.AppStore;3.0',
  'Calendar;com.apple.iCal;15.0',
  'FaceTime;com.apple.FaceTime;36',
  'Google Chrome;com.google.Chrome;131.0.6778.70',
  'Mail;com.apple.mail;16.0',
  'Managed Software Center;com.googlecode.munki.ManagedSoftwareCenter;6.6.1',
  'Messages;com.apple.MobileSMS;14.0',
  'Notes;com.apple.Notes;4.11',
  'Photos;com.apple.Photos;10.0',
  'Safari;com.apple.Safari;18.1',
  'Slack;com.tinyspeck.slackmacgap;4.41.97',
  'System Settings;com.apple.systempreferences;15.0',
  'Terminal;com.apple.Terminal;2.14',
  'Zoom;us.zoom.xos;6.2.10',
];
const newPhone = [
  'Authenticator;com.microsoft.azureauthenticator;6.8.17',
  'Microsoft Outlook;com.microsoft.Office.Outlook;4.2446.0',
  'Microsoft Teams;com.microsoft.skype.teams;6.19.0',
  'Slack;com.tinyspeck.chatlyio;24.11.20',
];

const newApps: Readonly<Record<DeviceKind, readonly string[]>> = {
  macbook: newMac,
  mac_mini: newMac,
  iphone: newPhone,
  ipad: [...newPhone, 'Keynote;com.apple.Keynote;14.2'],
  apple_tv: ['Plex;com.plexapp.plex;8.45'],
};

/** The apps of a device of a kind that has just enrolled. */
export function appsOfNew(kind: DeviceKind, nextId: () => number, at: string): InstalledApp[] {
  return installedApps(newApps[kind], nextId, at);
}

const mobileApps = [
  ...newPhone,
  'Keynote;com.apple.Keynote;14.2',
  'Numbers;com.apple.Numbers;14.2',
  'Pages;com.apple.Pages;14.2',
  'Google Chrome;com.google.chrome.ios;131.0.6778.73',
  'Zoom;us.zoom.videomeetings;6.2.11',
  'WhatsApp;net.whatsapp.WhatsApp;24.23.75',
  'Signal;org.whispersystems.signal;7.37',
  '1Password;com.1password.1password;8.10.52',
  'Notion;notion.id;1.7.141',
  'Figma;com.figma.FigmaPrototype;24.11',
  'Salesforce;com.salesforce.chatter;252.020',
  'Jamf Trust;com.jamf.trust;4.5',
  'Duolingo;com.duolingo.DuolingoMobile;7.41.0',
  'GoodNotes;com.goodnotesapp.x;6.4.5',
  'Okta Verify;com.okta.mobile;9.28.1',
];

/** The apps of a generated device: a random part of a catalog for its platform. Their ids are consecutive. */
export function appsOfGenerated(
  kind: DeviceKind,
  random: Random,
  firstId: number,
  { discoveredAt, lastSeenAt }: { discoveredAt: string; lastSeenAt: string },
): InstalledApp[] {
  const catalogue =
    platformOf[kind] === 'macOS' ? macbookApps : kind === 'apple_tv' ? newApps.apple_tv : mobileApps;
  const share = between(random, 20, 95) / 100;
  let id = firstId;
  const chosen = catalogue.filter((_entry, index) => index === 0 || random() < share);
  return installedApps(chosen, () => id++, discoveredAt).map((app) => ({ ...app, last_seen_at: lastSeenAt }));
}

/** Creates the records of installed apps from lines `name;identifier;version` (reference: Installed Apps). */
export function installedApps(list: readonly string[], nextId: () => number, at: string): InstalledApp[] {
  return list.map((entry, index) => {
    const [name = '', identifier = '', version = ''] = entry.split(';');
    return {
      id: nextId(),
      name,
      identifier,
      version,
      short_version: version.split('.').slice(0, 3).join('.'),
      bundle_size: 15_720_448 + index * 1_048_576,
      dynamic_size: index % 4 === 0 ? null : 16_384 * (index + 1),
      managed: !identifier.startsWith('com.apple.') && index % 2 === 0,
      discovered_at: at,
      last_seen_at: at,
    };
  });
}

/** The installed apps of device 121 in the reference (Devices, List installed apps). */
export function mikesApps(): InstalledApp[] {
  const last_seen_at = '2021-12-22T13:00:57.000-08:00';
  return [
    {
      id: 578,
      name: '1Password',
      identifier: 'com.agilebits.onepassword-ios',
      version: '601004',
      short_version: '6.0.1',
      bundle_size: 93097984,
      dynamic_size: 1056768,
      managed: true,
      discovered_at: '2015-10-01T18:02:13.611-07:00',
      last_seen_at,
    },
    {
      id: 587,
      name: 'Bandsintown',
      identifier: 'com.bandsintown.bit',
      version: '160',
      short_version: '4.13.1',
      bundle_size: 24756224,
      dynamic_size: 18677760,
      managed: false,
      discovered_at: '2015-10-01T18:02:13.659-07:00',
      last_seen_at,
    },
    {
      id: 618,
      name: 'Airbnb',
      identifier: 'com.airbnb.app',
      version: '485',
      short_version: '15.39',
      bundle_size: 120823808,
      dynamic_size: 27934720,
      managed: false,
      discovered_at: '2015-10-01T18:02:13.858-07:00',
      last_seen_at,
    },
  ];
}

/** The installed app of the reference (Installed Apps, Retrieve one). */
export function sunsetRun(): InstalledApp {
  return {
    id: 6632,
    name: 'Sunset Run',
    identifier: 'com.fuilana.SunsetRun',
    version: '2.2.1.1',
    short_version: '2.2.1',
    bundle_size: 15720448,
    dynamic_size: 16384,
    managed: true,
    discovered_at: '2016-10-12T15:54:16.116-07:00',
    last_seen_at: '2021-12-22T13:00:57.000-08:00',
  };
}
