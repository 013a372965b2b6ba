import { createResources } from '../../../src/simplemdm/client.js';
import type { Transport } from '../../../src/simplemdm/transport.js';
import { all } from './call-test.js';

/**
 * The result of a method of the client (`devices.retrieve`) for the given arguments and response body. A second page is empty. The
 * body does not pass the transport of the client, which would remove secrets.
 */
export async function readByClient(
  method: string,
  args: readonly unknown[],
  body: unknown,
): Promise<unknown> {
  const transport: Transport = {
    call: ({ route, query }) =>
      Promise.resolve({
        account: 'default',
        path: route,
        status: 200,
        body: query?.['starting_after'] === undefined ? body : { data: [], has_more: false },
      }),
    download: () => Promise.reject(new Error('a download has no JSON body')),
  };
  const [resource = '', name = ''] = method.split('.');
  const methods: unknown = Reflect.get(createResources(transport), resource);
  if (typeof methods !== 'object' || methods === null) throw new Error(`the client has no ${resource}`);
  const call: unknown = Reflect.get(methods, name);
  if (typeof call !== 'function') throw new Error(`the client has no ${method}`);
  const result: unknown = Reflect.apply(call, methods, [...args]);
  return isIterable(result) ? await all(result) : result;
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
