import { expect } from '@jest/globals';
import type { CallTest } from './call-test.js';

const certificate = (): File =>
  new File(['-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'], 'apns.pem');

export const pushCertificate: readonly CallTest[] = [
  {
    call: 'GET /push_certificate',
    client: 'pushCertificate.show',
    shows: 'Apple ID and expiry of the certificate',
    run: async ({ api }) => {
      expect((await api.pushCertificate.show()).attributes).toMatchObject({
        apple_id: 'devops@example.org',
        expires_at: '2017-09-21T15:28:34.000+00:00',
      });
    },
  },
  {
    call: 'PUT /push_certificate',
    client: 'pushCertificate.update',
    shows: 'replaces the certificate; the new one is valid for a year',
    run: async ({ api }) => {
      await api.pushCertificate.update({ file: certificate(), appleId: 'admin@example.org' });
      expect((await api.pushCertificate.show()).attributes).toEqual({
        apple_id: 'admin@example.org',
        expires_at: '2025-07-01T12:00:00.000+00:00',
      });
    },
    refuses: [
      {
        when: 'the file is not a certificate',
        status: 422,
        run: ({ api }) => api.pushCertificate.update({ file: new File(['hello'], 'x.pem') }),
      },
    ],
  },
  {
    call: 'GET /push_certificate/scsr',
    client: 'pushCertificate.getSignedCsr',
    shows: 'a property list as base64',
    run: async ({ api }) => {
      const text = Buffer.from(await api.pushCertificate.getSignedCsr(), 'base64').toString('utf8');
      expect(text).toContain('<plist');
    },
  },
];
