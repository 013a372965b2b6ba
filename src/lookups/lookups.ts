import type { LookupSource } from '../rules/model/lookup.js';
import { createHttpLookup } from './http-lookup.js';
import type { HttpLookup } from './http-lookup.js';
import type { LookupContext, LookupRows } from './lookup-rows.js';

/** The lookups of the live rules. */
export interface Lookups {
  /**
   * The rows of a lookup; undefined when no rule file defines it.
   *
   * @throws LookupUnavailableError when a web service has not returned any rows yet.
   */
  readonly rowsOf: (name: string) => Promise<LookupRows | undefined>;
}

/** What lookups work with. */
export interface LookupsOptions extends LookupContext {
  /** The lookups of the live rules. */
  readonly sources: () => readonly LookupSource[];
}

/**
 * Opens the lookups. The rows of files come with the rules; those of web services are fetched when a rule first reads them, and kept in
 * memory.
 */
export function openLookups({ sources, ...options }: LookupsOptions): Lookups {
  const overHttp = new Map<string, { readonly settings: string; readonly lookup: HttpLookup }>();
  return {
    rowsOf: async (name) => {
      const source = sources().find((one) => one.name === name);
      if (source === undefined) return undefined;
      if (source.kind === 'file') return { data: source.data, warnings: [] };
      const settings = JSON.stringify(source.settings);
      let open = overHttp.get(name);
      // Changed settings may lead to other rows, so the old ones are of no use.
      if (open?.settings !== settings) {
        open = { settings, lookup: createHttpLookup(source, options) };
        overHttp.set(name, open);
      }
      return open.lookup.rows();
    },
  };
}
