import type { Direction } from '../api/paging.js';
import type { Device, InstalledApp } from './device.js';
import type { GeneratedDevices } from './generated-devices.js';

/** An installed app and its device. */
export interface AppOnDevice {
  device: Device;
  app: InstalledApp;
}

/**
 * The devices of an account. A hundred thousand generated devices fit in memory because only changed ones are stored: use `edit` to
 * change a device; the result of `get` is read-only.
 */
export interface DeviceTable {
  readonly size: number;
  /** The number of enrolled devices. */
  enrolled(): number;
  has(id: number): boolean;
  get(id: number): Device | undefined;
  edit(id: number): Device | undefined;
  add(device: Device): void;
  delete(id: number): boolean;
  /** All devices, ascending by id. Generates each device on access. */
  values(): Iterable<Device>;
  /** The devices after an id, or all. */
  after(id: number | undefined, direction: Direction): Iterable<Device>;
  bySerialNumber(serialNumber: string): Device | undefined;
  /** The ids of the devices of a device group, ascending. */
  inGroup(groupId: number): number[];
  installedApp(appId: number): AppOnDevice | undefined;
  editInstalledApp(appId: number): AppOnDevice | undefined;
}

/** Creates a table of the given devices and of generated ones. */
export function createDeviceTable(initial: readonly Device[], generated?: GeneratedDevices): DeviceTable {
  const stored = new Map<number, Device>();
  const removed = new Set<number>();
  // Of stored devices: many enrollments in a row look up a serial number each.
  const idsBySerial = new Map<string, number>();
  let storedIds: number[] | undefined;

  const isGenerated = (id: number): boolean =>
    generated !== undefined && id >= generated.firstId && id < generated.firstId + generated.count;
  const asGenerated = (id: number): Device | undefined =>
    generated !== undefined && isGenerated(id) && !removed.has(id) ? generated.device(id) : undefined;
  const get = (id: number): Device | undefined => {
    const own = stored.get(id);
    if (own !== undefined) return own;
    const made = asGenerated(id);
    // A change to a device that is not stored would be lost silently.
    if (made !== undefined) Object.freeze(Object.freeze(made).attributes);
    return made;
  };
  const store = (device: Device): void => {
    if (!stored.has(device.id)) storedIds = undefined;
    stored.set(device.id, device);
    const serial = device.attributes.serial_number;
    if (serial !== null) idsBySerial.set(serial, device.id);
  };
  const edit = (id: number): Device | undefined => {
    const device = stored.get(id) ?? asGenerated(id);
    if (device !== undefined) store(device);
    return device;
  };

  for (const device of initial) store(device);

  function* ids(from: number | undefined, direction: Direction): Iterable<number> {
    storedIds ??= [...stored.keys()].sort((a, b) => a - b);
    const sign = direction === 'asc' ? 1 : -1;
    const beyond = (id: number): boolean => from === undefined || sign * (id - from) > 0;
    const mine = (direction === 'asc' ? storedIds : storedIds.toReversed()).filter(
      (id) => beyond(id) && !isGenerated(id),
    );
    const { firstId, count } = generated ?? { firstId: 0, count: 0 };
    const [nearest, last] =
      direction === 'asc' ? [firstId, firstId + count - 1] : [firstId + count - 1, firstId];
    const start = from !== undefined && sign * (from - nearest) >= 0 ? from + sign : nearest;
    let next = 0;
    for (let id = start; sign * (last - id) >= 0; id += sign) {
      for (let own = mine[next]; own !== undefined && sign * (own - id) < 0; own = mine[++next]) yield own;
      if (!removed.has(id)) yield id;
    }
    yield* mine.slice(next);
  }

  function* after(from: number | undefined, direction: Direction): Iterable<Device> {
    for (const id of ids(from, direction)) {
      const device = get(id);
      if (device !== undefined) yield device;
    }
  }

  const appIn = (appId: number, device: Device | undefined): AppOnDevice | undefined => {
    const app = device?.apps.find(({ id }) => id === appId);
    return device === undefined || app === undefined ? undefined : { device, app };
  };
  const installedApp = (appId: number): AppOnDevice | undefined => {
    const id = generated?.idOfApp(appId);
    if (id !== undefined) return appIn(appId, get(id));
    for (const device of stored.values()) {
      const found = appIn(appId, device);
      if (found !== undefined) return found;
    }
    return undefined;
  };

  return {
    get size() {
      return (
        stored.size + (generated?.count ?? 0) - removed.size - [...stored.keys()].filter(isGenerated).length
      );
    },
    enrolled: () => {
      const changed = [...stored.keys()].filter(isGenerated).length;
      const own = [...stored.values()].filter(({ attributes }) => attributes.status === 'enrolled').length;
      // Generated devices are enrolled, unless changed.
      return own + (generated?.count ?? 0) - removed.size - changed;
    },
    has: (id) => stored.has(id) || (isGenerated(id) && !removed.has(id)),
    get,
    edit,
    add: (device) => {
      removed.delete(device.id);
      store(device);
    },
    delete: (id) => {
      const there = stored.delete(id);
      if (there) storedIds = undefined;
      if (!isGenerated(id) || removed.has(id)) return there;
      removed.add(id);
      return true;
    },
    values: () => after(undefined, 'asc'),
    after,
    bySerialNumber: (serialNumber) => {
      const is = ({ attributes }: Device): boolean => attributes.serial_number === serialNumber;
      const own = stored.get(idsBySerial.get(serialNumber) ?? -1);
      if (own !== undefined && is(own)) return own;
      const made = asGenerated(generated?.idOfSerial(serialNumber) ?? -1);
      return made !== undefined && is(made) ? made : undefined;
    },
    inGroup: (groupId) => {
      const own = [...stored.values()].filter((device) => device.groupId === groupId).map(({ id }) => id);
      const { firstId, count } = generated ?? { firstId: 0, count: 0 };
      const others: number[] = [];
      for (let id = firstId; id < firstId + count; id += 1) {
        if (generated?.groupOf(id) === groupId && !stored.has(id) && !removed.has(id)) others.push(id);
      }
      return [...own, ...others].sort((a, b) => a - b);
    },
    installedApp,
    editInstalledApp: (appId) => {
      const found = installedApp(appId);
      return found && appIn(appId, edit(found.device.id));
    },
  };
}
