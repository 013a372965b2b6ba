import type { Direction } from '../api/paging.js';
import type { Device, InstalledApp } from './device.js';
import type { GeneratedDevices } from './generated-devices.js';

/** An app and the device that it is on. */
export interface AppOnDevice {
  device: Device;
  app: InstalledApp;
}

/**
 * The devices of an account. A hundred thousand generated ones fit, since only those are kept that somebody has changed: so
 * whoever changes a device takes it with `edit`, and what `get` gives is for reading.
 */
export interface DeviceTable {
  readonly size: number;
  /** How many are enrolled. */
  enrolled(): number;
  has(id: number): boolean;
  get(id: number): Device | undefined;
  edit(id: number): Device | undefined;
  add(device: Device): void;
  delete(id: number): boolean;
  /** All, ascending by id, each made when it is reached. */
  values(): Iterable<Device>;
  /** Those after an id, or all. */
  after(id: number | undefined, direction: Direction): Iterable<Device>;
  bySerialNumber(serialNumber: string): Device | undefined;
  installedApp(appId: number): AppOnDevice | undefined;
  editInstalledApp(appId: number): AppOnDevice | undefined;
}

/** A table of some devices and, when there are any, of generated ones. */
export function createDeviceTable(first: readonly Device[], generated?: GeneratedDevices): DeviceTable {
  const kept = new Map<number, Device>();
  const removed = new Set<number>();
  // Of the kept ones: a storm of enrollments asks for a serial number each time.
  const idsBySerial = new Map<string, number>();
  let keptIds: number[] | undefined;

  const isGenerated = (id: number): boolean =>
    generated !== undefined && id >= generated.firstId && id < generated.firstId + generated.count;
  const asGenerated = (id: number): Device | undefined =>
    generated !== undefined && isGenerated(id) && !removed.has(id) ? generated.device(id) : undefined;
  const get = (id: number): Device | undefined => {
    const own = kept.get(id);
    if (own !== undefined) return own;
    const made = asGenerated(id);
    // What is written to a record that is not kept would be lost without a word.
    if (made !== undefined) Object.freeze(Object.freeze(made).attributes);
    return made;
  };
  const keep = (device: Device): void => {
    if (!kept.has(device.id)) keptIds = undefined;
    kept.set(device.id, device);
    const serial = device.attributes.serial_number;
    if (serial !== null) idsBySerial.set(serial, device.id);
  };
  const edit = (id: number): Device | undefined => {
    const device = kept.get(id) ?? asGenerated(id);
    if (device !== undefined) keep(device);
    return device;
  };

  for (const device of first) keep(device);

  function* ids(from: number | undefined, direction: Direction): Iterable<number> {
    keptIds ??= [...kept.keys()].sort((a, b) => a - b);
    const sign = direction === 'asc' ? 1 : -1;
    const beyond = (id: number): boolean => from === undefined || sign * (id - from) > 0;
    const mine = (direction === 'asc' ? keptIds : keptIds.toReversed()).filter(
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
    for (const device of kept.values()) {
      const found = appIn(appId, device);
      if (found !== undefined) return found;
    }
    return undefined;
  };

  return {
    get size() {
      return kept.size + (generated?.count ?? 0) - removed.size - [...kept.keys()].filter(isGenerated).length;
    },
    enrolled: () => {
      const changed = [...kept.keys()].filter(isGenerated).length;
      const own = [...kept.values()].filter(({ attributes }) => attributes.status === 'enrolled').length;
      // Generated devices are enrolled until somebody changes them.
      return own + (generated?.count ?? 0) - removed.size - changed;
    },
    has: (id) => kept.has(id) || (isGenerated(id) && !removed.has(id)),
    get,
    edit,
    add: (device) => {
      removed.delete(device.id);
      keep(device);
    },
    delete: (id) => {
      const there = kept.delete(id);
      if (there) keptIds = undefined;
      if (!isGenerated(id) || removed.has(id)) return there;
      removed.add(id);
      return true;
    },
    values: () => after(undefined, 'asc'),
    after,
    bySerialNumber: (serialNumber) => {
      const is = ({ attributes }: Device): boolean => attributes.serial_number === serialNumber;
      const own = kept.get(idsBySerial.get(serialNumber) ?? -1);
      if (own !== undefined && is(own)) return own;
      const made = asGenerated(generated?.idOfSerial(serialNumber) ?? -1);
      return made !== undefined && is(made) ? made : undefined;
    },
    installedApp,
    editInstalledApp: (appId) => {
      const found = installedApp(appId);
      return found && appIn(appId, edit(found.device.id));
    },
  };
}
