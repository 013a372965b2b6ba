import { openChannel } from '../channels/open-channel.js';
import type { Channel } from '../channels/open-channel.js';
import type { LiveRules } from './live-rules.js';

/** Opens the channels of the live rules. Files that have not changed keep their channels. */
export function openChannels(
  rules: Pick<LiveRules, 'channels'>,
  env: NodeJS.ProcessEnv,
): () => ReadonlyMap<string, Channel> {
  let opened: { sources: unknown; channels: ReadonlyMap<string, Channel> } | undefined;
  return () => {
    const sources = rules.channels();
    if (opened?.sources !== sources) {
      opened = {
        sources,
        channels: new Map(sources.map((source) => [source.name, openChannel(source, env)])),
      };
    }
    return opened.channels;
  };
}
