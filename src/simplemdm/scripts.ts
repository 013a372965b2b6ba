import { z } from 'zod';
import type { Transport } from './http.js';
import { fetchAll } from './resource.js';

const script = z.looseObject({
  type: z.string(),
  id: z.int(),
  attributes: z.looseObject({ name: z.string() }),
});

/** A script of the account. */
export type Script = z.output<typeof script>;

/** API reference, section Scripts. */
export function createScripts(transport: Transport) {
  return {
    /** List all: `GET /scripts`. */
    list: (): AsyncGenerator<Script> => fetchAll(transport, { route: '/scripts' }, script),
  };
}
