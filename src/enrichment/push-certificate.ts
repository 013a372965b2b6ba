import type { Fact } from './fact.js';

/** The Apple push certificate of the account. Without a valid certificate no device is reachable. */
export const pushCertificate: Fact = {
  shape: { fields: { apple_id: 'string', expires_at: 'time' } },
  about: 'the Apple push certificate: `until(push_certificate.expires_at) < duration("720h")`',
  cost: 1,
  fetch: async ({ api }) => {
    const { apple_id, expires_at } = (await api.pushCertificate.show()).attributes;
    return { apple_id: apple_id ?? null, expires_at: expires_at ?? null };
  },
};
