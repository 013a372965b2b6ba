import { describe, expect, test } from '@jest/globals';
import { mayBe, platformOf } from '../../../src/enrichment/platform.js';
import type { Platform, PlatformHints } from '../../../src/enrichment/platform.js';

describe('platformOf', () => {
  test.each<[string | null, string | null, string | null, Platform | null]>([
    // product_name, model_name, os_version
    ['MacBookPro18,3', 'MacBook Pro (14-inch, 2021)', '14.7', 'macOS'],
    ['MacBookAir10,1', null, null, 'macOS'],
    ['Mac14,2', 'MacBook Air', '15.0', 'macOS'],
    ['Macmini9,1', null, null, 'macOS'],
    ['MacPro7,1', null, null, 'macOS'],
    ['iMac21,1', null, null, 'macOS'],
    ['iMacPro1,1', null, null, 'macOS'],
    ['VirtualMac2,1', null, null, 'macOS'],
    ['iPhone9,1', 'iPhone 7', '15.8', 'iOS'],
    ['iPod9,1', null, '15.0', 'iOS'],
    ['iPad13,1', 'iPad Air', '17.1', 'iPadOS'],
    ['iPad7,5', 'iPad', '12.5.7', 'iOS'],
    ['iPad7,5', 'iPad', '9.3', 'iOS'],
    ['iPad7,5', 'iPad', '13.0', 'iPadOS'],
    ['iPad7,5', 'iPad', null, 'iPadOS'],
    ['AppleTV11,1', 'Apple TV 4K', '17.0', 'tvOS'],
    ['Watch6,1', 'Apple Watch Series 6', '10.0', 'watchOS'],
    ['RealityDevice14,1', 'Apple Vision Pro', '1.0', 'visionOS'],
    // Without a product name, the model name counts
    [null, 'MacBook Pro (16-inch)', null, 'macOS'],
    [null, 'Mac mini', null, 'macOS'],
    [null, 'iPhone 15 Pro', null, 'iOS'],
    [null, 'iPad Pro (11-inch)', '17.0', 'iPadOS'],
    [null, 'Apple TV', null, 'tvOS'],
    [null, 'Apple Watch', null, 'watchOS'],
    [null, 'Apple Vision Pro', null, 'visionOS'],
    ['', 'iPhone', null, 'iOS'],
    ['Unknown1,1', 'iPhone', null, 'iOS'],
    // The product name wins
    ['iPad13,1', 'Mac-like thing', '17.0', 'iPadOS'],
    // Unknown
    [null, null, null, null],
    ['', '', '', null],
    ['   ', null, null, null],
    // Virtual Macs
    ['VMware7,1', null, '14.5', 'macOS'],
    ['VMware20,1', 'VMware', '15.0', 'macOS'],
    ['Parallels17,1', null, null, 'macOS'],
    ['Parallels-ARM', 'Parallels Virtual Machine', null, 'macOS'],
    ['QEMU Virtual Machine', null, null, 'macOS'],
    ['VirtualMac2,1', 'Apple Virtual Machine 1', '15.0', 'macOS'],
    [null, 'Apple Virtual Machine 1', null, 'macOS'],
    [null, 'Mac (virtual)', null, 'macOS'],
    // Others
    ['RealityDevice17,1', null, null, 'visionOS'],
    ['AudioAccessory5,1', 'HomePod mini', '17.0', 'audioOS'],
    // Names that do not exist yet
    ['MacSomething1,1', null, null, 'macOS'],
    ['iGlasses1,1', 'Apple Glasses', '1.0', 'unknown'],
    ['My iPhone', null, null, 'unknown'],
  ])('%s, %s, %s: %s', (product_name, model_name, os_version, expected) => {
    expect(platformOf({ product_name, model_name, os_version })).toBe(expected);
  });

  test('a record without the fields', () => {
    expect(platformOf({})).toBeNull();
    expect(platformOf({ product_name: undefined, model_name: 'iMac' })).toBe('macOS');
  });

  test.each<[string, PlatformHints, Platform | null]>([
    ['System Integrity Protection', { system_integrity_protection_enabled: false }, 'macOS'],
    ['a firewall', { product_name: 'New1,1', firewall: { enabled: false } }, 'macOS'],
    ['settings of software updates', { os_update: { catalog_url: 'x' } }, 'macOS'],
    ['FileVault is on', { filevault_enabled: true }, 'macOS'],
    // SimpleMDM says so of iPhones too.
    ['FileVault is off', { filevault_enabled: false }, null],
    ['a firewall without values', { firewall: { enabled: null } }, null],
    ['an IMEI', { imei: '35 445506 652132 5' }, null],
    [
      'an IMEI and a firewall',
      { product_name: 'New1,1', imei: '35', firewall: { enabled: true } },
      'unknown',
    ],
    // Apple Business Manager knows it before the device has reported.
    ['a model number only', { model: 'NG4W2LL' }, null],
    ['a model number, and no model yet', { model: 'NG4W2LL', model_name: 'Unknown' }, null],
    ['what SimpleMDM writes while it does not know the model', { model_name: 'Unknown' }, null],
    ['a model number next to a new model', { model: 'NG4W2LL', model_name: 'iThing' }, 'unknown'],
    ['an OS version only', { os_version: '17.0' }, null],
  ])('other fields: %s', (_what, hints, expected) => {
    expect(platformOf(hints)).toBe(expected);
  });
});

describe('mayBe', () => {
  test.each<[string | null, boolean]>([
    ['macOS', true],
    ['iOS', false],
    ['unknown', true],
    [null, true],
  ])('%s may be macOS: %s', (platform, expected) => {
    expect(mayBe(platform, ['macOS'])).toBe(expected);
  });
});
