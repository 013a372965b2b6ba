import { z } from 'zod';
import type { SimpleMdm } from '../simplemdm/client.js';
import { defineAction } from './action.js';
import type { Action } from './action.js';
import { defineDeviceAction } from './device-action.js';
import { reference } from './resolve-reference.js';
import type { ReferencedKind, ReferencedObject } from './reference-kinds.js';

/** An action whose only argument is a reference, as its file writes it. */
export interface ReferenceActionDefinition<T> {
  readonly about: string;
  readonly example: string;
  /** The name of the argument, such as `group`. The outputs are `group_id` and `group_name`. */
  readonly argument: string;
  readonly kind: ReferencedKind<T>;
  readonly send: (api: SimpleMdm, id: number) => Promise<unknown>;
}

/** A {@link ReferenceActionDefinition} that also acts on the event's device. */
export interface DeviceReferenceActionDefinition<T> extends Omit<ReferenceActionDefinition<T>, 'send'> {
  readonly send: (api: SimpleMdm, id: number, deviceId: number) => Promise<unknown>;
}

/** Makes an action that resolves a reference and makes one call with its id. */
export function defineReferenceAction<T>(definition: ReferenceActionDefinition<T>): Action {
  const { about, example, argument, kind, send } = definition;
  return defineAction({
    about,
    example,
    ...signatureOf(argument, kind),
    facts: [],
    perform: async (args, { api, lists }) => {
      const found = await kind.find(reference.parse(args[argument]), lists);
      await send(api, found.id);
      return { status: 'completed', output: referenceOutput(argument, found) };
    },
  });
}

/** Makes an action that resolves a reference and makes one idempotent call with its id and the id of the event's device. */
export function defineDeviceReferenceAction<T>(definition: DeviceReferenceActionDefinition<T>): Action {
  const { about, example, argument, kind, send } = definition;
  return defineDeviceAction({
    about,
    example,
    ...signatureOf(argument, kind),
    repeatable: true,
    send: async (args, device, { api, lists }) => {
      const found = await kind.find(reference.parse(args[argument]), lists);
      await send(api, found.id, device.id);
      return referenceOutput(argument, found);
    },
  });
}

function signatureOf<T>(argument: string, { kind }: ReferencedKind<T>) {
  return {
    args: z.strictObject({ [argument]: reference }),
    shorthand: argument,
    refersTo: { [argument]: kind },
    outputs: { [`${argument}_id`]: 'number', [`${argument}_name`]: 'string' },
  } as const;
}

/** The output that names a referenced object: `group_id` and `group_name` for the argument `group`. */
export function referenceOutput<T>(
  argument: string,
  { id, name }: ReferencedObject<T>,
): Readonly<Record<string, unknown>> {
  return { [`${argument}_id`]: id, [`${argument}_name`]: name };
}
