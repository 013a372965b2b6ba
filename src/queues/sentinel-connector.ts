import { SentinelConnector } from 'ioredis';
import type { SentinelConnectionOptions } from 'ioredis';

/**
 * Finds the master by Sentinels, and does so again after every lost connection.
 *
 * The connector of ioredis goes on listening for fail-overs while it asks for the new master. The announcement then cancels that very
 * attempt, and the connection ends for good. This connector stops listening before it asks; the new connection listens again.
 */
export class RenewingSentinelConnector extends SentinelConnector {
  /** @param options - Those of the connection, which ioredis gives to every connector. */
  constructor(options: unknown) {
    if (!hasSentinels(options)) throw new TypeError('expected the addresses of Sentinels');
    super(options);
  }

  override connect(
    ...args: Parameters<SentinelConnector['connect']>
  ): ReturnType<SentinelConnector['connect']> {
    this.disconnect();
    return super.connect(...args);
  }
}

function hasSentinels(options: unknown): options is SentinelConnectionOptions {
  return (
    typeof options === 'object' &&
    options !== null &&
    'sentinels' in options &&
    Array.isArray(options.sentinels)
  );
}
