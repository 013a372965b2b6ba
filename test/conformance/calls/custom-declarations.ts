import { expect } from '@jest/globals';
import { all } from './call-test.js';
import type { CallTest, World } from './call-test.js';

const nowhere = 999_999;
const bookmarks = 16;
const list = '/custom_declarations';
const one = `${list}/{DECLARATION_ID}`;

const json = (value: unknown): File => new File([JSON.stringify(value)], 'x.json');

const onDevice = async ({ api }: World, deviceId: number) =>
  (await all(api.devices.listProfiles(deviceId))).some(({ id }) => id === bookmarks);

export const customDeclarations: readonly CallTest[] = [
  {
    call: `GET ${list}`,
    client: 'customDeclarations.list',
    shows: 'all declarations; the list of profiles has them too',
    run: async ({ api }) => {
      const [found] = await all(api.customDeclarations.list());
      expect(found).toMatchObject({
        type: 'custom_declaration',
        id: bookmarks,
        attributes: { declaration_type: 'com.apple.configuration.safari.bookmarks' },
      });
      expect((await api.profiles.retrieve(bookmarks)).attributes.name).toBe('Safari bookmarks');
      expect((await api.customDeclarations.listPage({ startingAfter: bookmarks })).data).toEqual([]);
    },
  },
  {
    call: `GET ${one}`,
    client: 'customDeclarations.retrieve',
    shows: 'one declaration',
    run: async ({ api }) => {
      expect((await api.customDeclarations.retrieve(bookmarks)).attributes.name).toBe('Safari bookmarks');
    },
    refuses: [
      {
        when: 'the profile is of another kind',
        status: 404,
        run: ({ api }) => api.customDeclarations.retrieve(15),
      },
    ],
  },
  {
    call: `POST ${list}`,
    client: 'customDeclarations.create',
    shows: 'uploads a declaration, by default for users and without variables',
    run: async ({ api, responses }) => {
      const made = await api.customDeclarations.create({
        name: 'Passcode',
        declarationType: 'com.apple.configuration.passcode.settings',
        payload: json({ RequirePasscode: true }),
        activationPredicate: "@status(device.model.family) == 'Mac'",
      });
      expect(responses.at(-1)?.status).toBe(201);
      expect(made.attributes).toMatchObject({
        name: 'Passcode',
        declaration_type: 'com.apple.configuration.passcode.settings',
        activation_predicate: "@status(device.model.family) == 'Mac'",
        user_scope: true,
        attribute_support: false,
      });
    },
    refuses: [
      {
        when: 'the payload is not JSON',
        status: 422,
        run: ({ api }) =>
          api.customDeclarations.create({
            name: 'x',
            declarationType: 'x',
            payload: new File(['<plist/>'], 'x'),
          }),
      },
      {
        when: 'the type is empty',
        status: 422,
        run: ({ api }) =>
          api.customDeclarations.create({ name: 'x', declarationType: '', payload: json({}) }),
      },
    ],
  },
  {
    call: `PATCH ${one}`,
    client: 'customDeclarations.update',
    shows: 'changes only the given attributes, or the payload',
    run: async ({ api }) => {
      await api.customDeclarations.update(bookmarks, { name: 'Bookmarks' });
      const changed = await api.customDeclarations.update(bookmarks, {
        payload: json({ ManagedBookmarks: [1] }),
        userScope: false,
        activationPredicate: '',
      });
      expect(changed.attributes).toMatchObject({
        name: 'Bookmarks',
        user_scope: false,
        declaration_type: 'com.apple.configuration.safari.bookmarks',
        activation_predicate: null,
      });
    },
    refuses: [
      {
        when: 'it does not exist',
        status: 404,
        run: ({ api }) => api.customDeclarations.update(nowhere, { name: 'x' }),
      },
    ],
  },
  {
    call: `GET ${one}/download`,
    client: 'customDeclarations.download',
    shows: 'the declaration as devices get it, with the name and the predicate in its payload',
    run: async ({ api }) => {
      await api.customDeclarations.update(bookmarks, { activationPredicate: 'TRUEPREDICATE' });
      const file = await api.customDeclarations.download(bookmarks);
      expect(JSON.parse(await file.text())).toEqual({
        Type: 'com.apple.configuration.safari.bookmarks',
        Identifier: expect.any(String),
        ServerToken: expect.any(String),
        Payload: {
          ManagedBookmarks: [],
          declaration_name: 'Safari bookmarks',
          activation_predicate: 'TRUEPREDICATE',
        },
      });
    },
    refuses: [
      { when: 'it does not exist', status: 404, run: ({ api }) => api.customDeclarations.download(nowhere) },
    ],
  },
  {
    call: `DELETE ${one}`,
    client: 'customDeclarations.delete',
    shows: 'deletes the declaration, also from devices',
    run: async (world) => {
      const { api } = world;
      await api.customDeclarations.assignToDevice(bookmarks, 98);
      expect(await api.customDeclarations.delete(bookmarks)).toBe(204);
      expect(await onDevice(world, 98)).toBe(false);
      expect(await all(api.customDeclarations.list())).toEqual([]);
    },
    refuses: [
      { when: 'it does not exist', status: 404, run: ({ api }) => api.customDeclarations.delete(nowhere) },
    ],
  },
  {
    call: `POST ${one}/devices/{DEVICE_ID}`,
    client: 'customDeclarations.assignToDevice',
    shows: 'assigns the declaration to the device; a second call changes nothing',
    run: async (world) => {
      const { api } = world;
      expect(await api.customDeclarations.assignToDevice(bookmarks, 98)).toBe(204);
      expect(await onDevice(world, 98)).toBe(true);
      expect(await api.customDeclarations.assignToDevice(bookmarks, 98)).toBe(204);
    },
    refuses: [
      {
        when: 'the device does not exist',
        status: 404,
        run: ({ api }) => api.customDeclarations.assignToDevice(bookmarks, nowhere),
      },
    ],
  },
  {
    call: `DELETE ${one}/devices/{DEVICE_ID}`,
    client: 'customDeclarations.unassignFromDevice',
    shows: 'removes the declaration from the device',
    run: async (world) => {
      const { api } = world;
      await api.customDeclarations.assignToDevice(bookmarks, 98);
      expect(await api.customDeclarations.unassignFromDevice(bookmarks, 98)).toBe(204);
      expect(await onDevice(world, 98)).toBe(false);
    },
    refuses: [
      {
        when: 'it does not exist',
        status: 404,
        run: ({ api }) => api.customDeclarations.unassignFromDevice(nowhere, 98),
      },
    ],
  },
];
