import { expect } from '@jest/globals';
import { all } from './call-test.js';
import type { CallTest } from './call-test.js';

const nowhere = 999_999;

export const enrollments: readonly CallTest[] = [
  {
    call: 'GET /enrollments',
    client: 'enrollments.list',
    shows: 'enrollments of groups, of one device, and account driven ones without a URL',
    run: async ({ api }) => {
      const list = await all(api.enrollments.list());
      expect(list.map(({ id }) => id)).toEqual([3, 4, 5, 6, 7]);
      expect(list.find(({ id }) => id === 7)?.attributes.url).toBeNull();
      expect((await api.enrollments.listPage({ limit: 2 })).hasMore).toBe(true);
    },
  },
  {
    call: 'GET /enrollments/{ENROLLMENT_ID}',
    client: 'enrollments.show',
    shows: 'one enrollment with its device and group',
    run: async ({ api }) => {
      const { attributes, relationships } = await api.enrollments.show(5);
      expect(relationships).toMatchObject({
        device: { data: { id: 11 } },
        device_group: { data: { id: 1 } },
      });
      expect(attributes).toMatchObject({
        user_enrollment: false,
        welcome_screen: true,
        authentication: false,
      });
    },
    refuses: [{ when: 'it does not exist', status: 404, run: ({ api }) => api.enrollments.show(nowhere) }],
  },
  {
    call: 'POST /enrollments/{ENROLLMENT_ID}/invitations',
    client: 'enrollments.sendInvitation',
    shows: 'sends an invitation to an email address and one to a phone number',
    run: async ({ api, simulator }) => {
      expect(await api.enrollments.sendInvitation(6, 'ada@example.org')).toBe(200);
      expect(await api.enrollments.sendInvitation(6, '+49 30 901820')).toBe(200);
      expect(simulator.invitations().map(({ contact }) => contact)).toEqual([
        'ada@example.org',
        '+49 30 901820',
      ]);
    },
    refuses: [
      {
        when: 'the contact is neither an email address nor a phone number',
        status: 422,
        run: ({ api }) => api.enrollments.sendInvitation(6, 'Ada'),
      },
      {
        when: 'the enrollment is account driven',
        status: 422,
        run: ({ api }) => api.enrollments.sendInvitation(7, 'ada@example.org'),
      },
      {
        when: 'it does not exist',
        status: 404,
        run: ({ api }) => api.enrollments.sendInvitation(nowhere, 'ada@example.org'),
      },
    ],
  },
  {
    call: 'DELETE /enrollments/{ENROLLMENT_ID}',
    client: 'enrollments.delete',
    shows: 'deletes the enrollment',
    run: async ({ api }) => {
      expect(await api.enrollments.delete(6)).toBe(204);
      expect((await all(api.enrollments.list())).map(({ id }) => id)).toEqual([3, 4, 5, 7]);
    },
    refuses: [{ when: 'it does not exist', status: 404, run: ({ api }) => api.enrollments.delete(nowhere) }],
  },
];
