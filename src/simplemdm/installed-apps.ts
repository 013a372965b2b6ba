import { z } from 'zod';

/** The attributes of an app on a device. */
export const installedAppAttributes = z.looseObject({
  name: z.string().nullish(),
  identifier: z.string().nullish(),
  version: z.string().nullish(),
  short_version: z.string().nullish(),
  bundle_size: z.number().nullish(),
  dynamic_size: z.number().nullish(),
  managed: z.boolean().nullish(),
  discovered_at: z.string().nullish(),
  last_seen_at: z.string().nullish(),
});

/** API reference, section Installed Apps: the record that lists of installed apps hold. */
export const installedApp = z.looseObject({
  type: z.string(),
  id: z.int(),
  attributes: installedAppAttributes,
});

/** An app on a device. */
export type InstalledApp = z.output<typeof installedApp>;
