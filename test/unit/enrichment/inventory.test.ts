import { describe, expect, test } from '@jest/globals';
import { device as deviceFact } from '../../../src/enrichment/device.js';
import { isListPending, missingInventory, withoutPendingLists } from '../../../src/enrichment/inventory.js';

/** A device that has enrolled and reported nothing. */
const EMPTY = { id: 1, status: 'enrolled', name: null, platform: null, model_name: null, os_version: null };
/** Its model and system are there. */
const MAC = {
  ...EMPTY,
  platform: 'macOS',
  model_name: 'MacBook Pro',
  product_name: 'Mac15,6',
  os_version: '15.1',
};
const PHONE = {
  ...EMPTY,
  platform: 'iOS',
  model_name: 'iPhone 15',
  product_name: 'iPhone15,4',
  os_version: '18.1',
};

describe('missingInventory', () => {
  test.each<[string, unknown, string, string[]]>([
    ['a field that the device reports', EMPTY, 'device.model_name', ['model_name']],
    [
      'a nested field',
      { ...EMPTY, firewall: { enabled: null } },
      'device.firewall.enabled',
      ['firewall.enabled'],
    ],
    [
      'a record that is null as a whole',
      { ...EMPTY, firewall: null },
      'device.firewall.enabled',
      ['firewall.enabled'],
    ],
    ['the platform, which comes from the model', EMPTY, 'device.platform', ['platform']],
    [
      'the free ratio, which comes from the capacity',
      EMPTY,
      'device.capacity_free_ratio',
      ['capacity_free_ratio'],
    ],
    [
      'a ratio of a capacity of 0',
      { ...MAC, device_capacity: 0, available_device_capacity: 0 },
      'device.capacity_free_ratio',
      [],
    ],
    ['the time of the last contact', EMPTY, 'device.last_seen_at', ['last_seen_at']],
    ['what SimpleMDM knows without the device', EMPTY, 'device.dep_enrolled', []],
    ['a custom attribute', EMPTY, 'device.attributes.department', []],
    ['a value that is there', MAC, 'device.model_name', []],
    ['a field of Macs on a Mac', MAC, 'device.filevault_enabled', ['filevault_enabled']],
    ['a field of Macs on an iPhone: null is final', PHONE, 'device.filevault_enabled', []],
    ['a field of phones on a Mac: null is final', MAC, 'device.imei', []],
    ['a field of phones while the platform is not known', EMPTY, 'device.imei', ['imei']],
    [
      'a field of phones on a platform that is not recognized',
      { ...EMPTY, platform: 'unknown' },
      'device.imei',
      ['imei'],
    ],
    ['a field that a phone may lack, once it has reported', PHONE, 'device.phone_number', []],
    ['a device that has left', { ...EMPTY, status: 'unenrolled' }, 'device.model_name', []],
    ['a device that SimpleMDM does not have', null, 'device.model_name', []],
    ['the event', EMPTY, 'event.data.color', []],
  ])('%s', (_name, device, path, missing) => {
    expect(missingInventory([path.split('.')], { device, event: {} }, true)).toEqual(missing);
  });

  test('names each missing value once, and lists by their fact', () => {
    const paths = [['device', 'model_name'], ['apps'], ['device', 'model_name'], ['logs']];
    const values = { device: { ...EMPTY, serial_number: 'S' }, apps: null, logs: null };
    expect(missingInventory(paths, values, true)).toEqual(['model_name', 'apps', 'logs']);
  });

  test('a fact that SimpleMDM finds by serial number waits for the serial number', () => {
    expect(missingInventory([['dep_device', 'color']], { device: EMPTY, dep_device: null }, true)).toEqual([
      'serial_number',
    ]);
    const known = { ...EMPTY, serial_number: 'S' };
    expect(missingInventory([['dep_device', 'color']], { device: known, dep_device: null }, true)).toEqual(
      [],
    );
  });

  test('every field of the device is one that SimpleMDM knows, or one that the device reports', () => {
    const { shape } = deviceFact;
    const fields = typeof shape === 'object' && 'fields' in shape ? Object.keys(shape.fields) : [];
    const known = fields.filter(
      (field) => missingInventory([['device', field]], { device: EMPTY }, true).length === 0,
    );
    // Whoever adds a field decides here: a field that the device reports is waited for.
    expect(known.filter((field) => !Object.hasOwn(EMPTY, field)).sort()).toEqual([
      'assignment_group_ids',
      'attributes',
      'auto_admin_name',
      'ddm_enabled',
      'dep_assigned',
      'dep_enrolled',
      'enrolled_at',
      'enrollment_channels',
      'enrollment_url',
      'group_id',
      'is_dep_enrollment',
      'lost_mode_enabled',
      'user_enrollment',
    ]);
  });
});

describe('an empty list', () => {
  test.each<[string, string, unknown, boolean, boolean]>([
    ['apps of a device that has never reported', 'apps', EMPTY, false, true],
    ['profiles of a device that has never reported', 'profiles', EMPTY, false, true],
    ['users of a device that has never reported', 'users', EMPTY, false, true],
    ['apps of a Mac that has just reported its model', 'apps', MAC, true, true],
    ['apps of a Mac later', 'apps', MAC, false, false],
    ['profiles of a Mac that has just reported its model', 'profiles', MAC, true, false],
    ['users of a Mac that has just reported its model', 'users', MAC, true, true],
    ['users of a phone', 'users', PHONE, true, false],
    ['apps of a device that has left', 'apps', { ...MAC, status: 'unenrolled' }, true, false],
    [
      'apps of a device that has left and never reported',
      'apps',
      { ...EMPTY, status: 'unenrolled' },
      true,
      true,
    ],
    ['apps without a device', 'apps', null, true, false],
    ['another list', 'dep_servers', EMPTY, true, false],
  ])('%s', (_name, fact, device, settling, pending) => {
    expect(isListPending(fact, [], device, settling)).toBe(pending);
    expect(isListPending(fact, [{}], device, settling)).toBe(false);
  });

  test('is null for conditions while it is pending', () => {
    expect(withoutPendingLists({ device: EMPTY, apps: [], logs: [{}] }, false)).toEqual({
      device: EMPTY,
      apps: null,
      logs: [{}],
    });
  });
});
