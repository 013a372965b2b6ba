import type { Profile } from './fleet.js';

/** The profiles of the reference, one that is not a custom configuration profile, and a custom declaration. */
export function initialProfiles(): Profile[] {
  return [
    profile({
      id: 13,
      name: 'Disable AFP',
      identifier: 'com.unwiredmdm.aabc717175a3467b93af177aa5f1992b',
      deviceIds: [121],
    }),
    profile({ id: 15, name: 'Office Wi-Fi', identifier: 'com.unwiredmdm.wifi.15', type: 'wifi' }),
    {
      ...profile({
        id: 16,
        name: 'Safari bookmarks',
        identifier: 'com.unwiredmdm.aabc717175a3467b93af177aa5f19930',
        type: 'custom_declaration',
      }),
      content: Buffer.from(JSON.stringify({ ManagedBookmarks: [] })),
      declaration: { type: 'com.apple.configuration.safari.bookmarks', activationPredicate: null },
    },
    profile({
      id: 293_814,
      name: 'Munki Configuration',
      identifier: 'com.unwiredmdm.aabc717175a3467b93af177aa5f1992d',
      userScope: true,
      deviceGroupIds: [37, 38],
    }),
  ];
}

function profile(given: {
  id: number;
  name: string;
  identifier: string;
  type?: Profile['type'];
  userScope?: boolean;
  deviceGroupIds?: readonly number[];
  deviceIds?: readonly number[];
}): Profile {
  return {
    id: given.id,
    type: given.type ?? 'custom_configuration_profile',
    name: given.name,
    profile_identifier: given.identifier,
    user_scope: given.userScope ?? false,
    attribute_support: false,
    escape_attributes: false,
    reinstall_after_os_update: false,
    content: mobileconfig(given.name, given.identifier),
    deviceGroupIds: new Set(given.deviceGroupIds),
    deviceIds: new Set(given.deviceIds),
  };
}

/** An empty profile as a `mobileconfig` file. */
function mobileconfig(name: string, identifier: string): Buffer {
  return Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>PayloadContent</key><array/>
  <key>PayloadDisplayName</key><string>${name}</string>
  <key>PayloadIdentifier</key><string>${identifier}</string>
  <key>PayloadType</key><string>Configuration</string>
  <key>PayloadUUID</key><string>7A6B1E0C-2C6F-4F0B-9E59-6C1F2F6B7A11</string>
  <key>PayloadVersion</key><integer>1</integer>
</dict>
</plist>
`);
}
