import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createDeviceTable } from '../../../simulator/fleet/device-table.js';
import type { Device } from '../../../simulator/fleet/device.js';
import { firstGeneratedId, generatedDevices } from '../../../simulator/fleet/generated-devices.js';

const now = new Date('2024-07-01T12:00:00.000Z');
const count = 30;
const generated = () => generatedDevices({ devices: count, seed: 1 }, now, [1]);

const likeFirst = (id: number): Device => ({ ...generated().device(firstGeneratedId), id, apps: [] });

const ids = fc.oneof(
  fc.integer({ min: 1, max: 12 }),
  fc.integer({ min: firstGeneratedId - 1, max: firstGeneratedId + count + 1 }),
);
const steps = fc.array(fc.tuple(fc.constantFrom('edit', 'delete', 'add'), ids), { maxLength: 40 });

test('a table of generated devices behaves like a map of all of them', () => {
  fc.assert(
    fc.property(steps, ids, fc.constantFrom('asc' as const, 'desc' as const), (taken, from, direction) => {
      const table = createDeviceTable([likeFirst(3), likeFirst(7)], generated());
      const plain = new Map<number, string | null>();
      for (const device of table.values()) plain.set(device.id, device.attributes.name);
      for (const [what, id] of taken) {
        if (what === 'add') {
          table.add({ ...likeFirst(id), attributes: { ...likeFirst(id).attributes, name: 'added' } });
          plain.set(id, 'added');
        } else if (what === 'delete') {
          expect(table.delete(id)).toBe(plain.delete(id));
        } else {
          const device = table.edit(id);
          expect(device !== undefined).toBe(plain.has(id));
          if (device === undefined) continue;
          device.attributes.name = `edited ${id}`;
          plain.set(id, `edited ${id}`);
        }
      }
      const sorted = [...plain].sort(([a], [b]) => a - b);
      expect([...table.values()].map(({ id, attributes }) => [id, attributes.name])).toEqual(sorted);
      expect(table.size).toBe(plain.size);
      expect(table.enrolled()).toBe(plain.size);
      const after = [...table.after(from, direction)].map(({ id }) => id);
      const expected = sorted.map(([id]) => id).filter((id) => (direction === 'asc' ? id > from : id < from));
      expect(after).toEqual(direction === 'asc' ? expected : expected.toReversed());
      for (const [, id] of taken) {
        expect(table.has(id)).toBe(plain.has(id));
        expect(table.get(id)?.attributes.name).toBe(plain.get(id));
      }
    }),
  );
});

test('finds a device by its serial number, stored or not, until it is deleted', () => {
  const table = createDeviceTable([], generated());
  const serial = table.get(firstGeneratedId)?.attributes.serial_number ?? '';
  expect(table.bySerialNumber(serial)?.id).toBe(firstGeneratedId);
  table.edit(firstGeneratedId);
  expect(table.bySerialNumber(serial)?.id).toBe(firstGeneratedId);
  table.delete(firstGeneratedId);
  expect(table.bySerialNumber(serial)).toBeUndefined();
});

test('throws on a change to a record that is not stored', () => {
  const table = createDeviceTable([], generated());
  const device = table.get(firstGeneratedId);
  expect(() => Object.assign(device?.attributes ?? {}, { name: 'lost' })).toThrow(TypeError);
  Object.assign(table.edit(firstGeneratedId)?.attributes ?? {}, { name: 'kept' });
  expect(table.get(firstGeneratedId)?.attributes.name).toBe('kept');
});
