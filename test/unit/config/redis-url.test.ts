import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { describeRedis, parseRedisUrl, passwordsOf } from '../../../src/config/redis-url.js';
import type { RedisTarget } from '../../../src/config/redis-url.js';

describe('a REDIS_URL names', () => {
  test.each<[string, RedisTarget]>([
    ['redis://redis', { kind: 'single', host: 'redis', port: 6379, database: 0 }],
    ['redis://redis/', { kind: 'single', host: 'redis', port: 6379, database: 0 }],
    ['REDIS://Redis:7000/3', { kind: 'single', host: 'Redis', port: 7000, database: 3 }],
    ['redis://[::1]:7000', { kind: 'single', host: '::1', port: 7000, database: 0 }],
    ['redis://:pw@h', { kind: 'single', host: 'h', port: 6379, password: 'pw', database: 0 }],
    ['redis://:@h', { kind: 'single', host: 'h', port: 6379, database: 0 }],
    [
      'rediss://u%40x:p%2Fw%25@h:1/15',
      { kind: 'single', host: 'h', port: 1, username: 'u@x', password: 'p/w%', tls: {}, database: 15 },
    ],
    // An "@" in a password is found from the right, as other clients do.
    [
      'redis://u:p@w@h',
      { kind: 'single', host: 'h', port: 6379, username: 'u', password: 'p@w', database: 0 },
    ],
    [
      'rediss://h?ca=/etc/redis%20ca.pem',
      { kind: 'single', host: 'h', port: 6379, tls: { ca: '/etc/redis ca.pem' }, database: 0 },
    ],
    ['redis+cluster://a', { kind: 'cluster', nodes: [{ host: 'a', port: 6379 }] }],
    [
      'rediss+cluster://u:p@a:7001, [::1]:7002 ,c/0?ca=ca.pem',
      {
        kind: 'cluster',
        nodes: [
          { host: 'a', port: 7001 },
          { host: '::1', port: 7002 },
          { host: 'c', port: 6379 },
        ],
        username: 'u',
        password: 'p',
        tls: { ca: 'ca.pem' },
      },
    ],
    [
      'redis+sentinel://a,b:26380/mymaster',
      {
        kind: 'sentinel',
        sentinels: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 26_380 },
        ],
        master: 'mymaster',
        database: 0,
      },
    ],
    [
      'rediss+sentinel://u:p@a/my%20master/2?sentinelPassword=s%26p&sentinelUsername=su',
      {
        kind: 'sentinel',
        sentinels: [{ host: 'a', port: 26_379 }],
        master: 'my master',
        username: 'u',
        password: 'p',
        tls: {},
        database: 2,
        sentinelUsername: 'su',
        sentinelPassword: 's&p',
      },
    ],
  ])('%s', (url, target) => {
    expect(parseRedisUrl(url)).toEqual(target);
  });
});

describe('a REDIS_URL that names nothing says what to write', () => {
  const UNENCODED = 'user and password may not contain';
  test.each([
    ['redis', 'expected a URL such as redis://user:password@host:6379/0'],
    ['http://redis', 'expected a URL such as redis://'],
    ['redis+proxy://a', 'unknown kind "proxy"; expected a URL such as'],
    ['redis://', 'the address is empty; expected host:port'],
    ['redis://:pw@', 'the address is empty'],
    ['redis://a,b', 'use redis+cluster:// for a Redis Cluster'],
    ['redis+cluster://a,,c', 'address 2 of 3 is empty'],
    ['redis+cluster://a,b:0', 'address 2 of 2 has no port from 1 to 65535'],
    ['redis://h:65536', 'the address has no port from 1 to 65535'],
    ['redis://h:', 'has no port'],
    ['redis://::1', 'write an IPv6 address in brackets'],
    ['redis://[::1', 'in brackets, such as [::1]:6379', 'is no host name'],
    ['redis://a b', 'is no host name or IP address'],
    ['redis://word@h', 'found one word before "@"'],
    ['redis://user:@h', 'the user has no password'],
    ['redis://:100%@h', 'the password contains a "%" that begins no code'],
    ['redis://:pa/ss@h', UNENCODED],
    ['redis://:pa#ss@h', UNENCODED],
    ['redis://h/x', 'the database after the address must be a number'],
    ['redis+cluster://a,b/3', 'a Redis Cluster has no numbered databases'],
    ['redis+sentinel://a,b', 'expected the name of the master after the addresses'],
    ['redis+sentinel://a/m/1/2', 'expected the name of the master'],
    ['redis+sentinel://a/m/x', 'the database after the address must be a number'],
    ['redis+sentinel://a/m?sentinelUsername=x', 'sentinelUsername needs sentinelPassword'],
    ['redis+sentinel://a/m?sentinelPasword=x', 'expected ca, sentinelUsername, sentinelPassword'],
    ['redis+cluster://a?sentinelPassword=x', 'unknown option after "?"; expected ca'],
    ['rediss://a?ca=x&ca=y', 'the option ca is there twice'],
    ['rediss://a?ca=', 'the option ca is empty'],
    ['redis://a?ca=x', 'the option ca needs TLS: begin the URL with rediss'],
  ])('%s', (url, ...messages) => {
    expect(() => parseRedisUrl(url)).toThrow(new RegExp(messages.map(escaped).join('|')));
  });
});

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

describe('properties', () => {
  const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
  const node = fc.record({ host, port: fc.integer({ min: 1, max: 65_535 }) });
  const written = ({ host: name, port }: { host: string; port: number }): string =>
    `${name.includes(':') ? `[${name}]` : name}:${port}`;
  const password = fc.string({ minLength: 1, unit: 'grapheme' });

  test('any user and password arrive as they were, whatever characters they have', () => {
    fc.assert(
      fc.property(
        password,
        password,
        fc.array(node, { minLength: 1, maxLength: 6 }),
        (username, secret, nodes) => {
          const url = `rediss+cluster://${encodeURIComponent(username)}:${encodeURIComponent(secret)}@${nodes.map(written).join(',')}`;
          expect(parseRedisUrl(url)).toEqual({ kind: 'cluster', nodes, username, password: secret, tls: {} });
        },
      ),
    );
  });

  test('the description has no password; every password is named to be masked', () => {
    const secrets = fc.tuple(fc.stringMatching(/^[A-Z]{12}$/), fc.stringMatching(/^[A-Z]{12}$/));
    fc.assert(
      fc.property(
        secrets,
        fc.array(node, { minLength: 1, maxLength: 3 }),
        ([secret, sentinelSecret], nodes) => {
          const target = parseRedisUrl(
            `redis+sentinel://:${secret}@${nodes.map(written).join(',')}/master?sentinelPassword=${sentinelSecret}`,
          );
          expect(passwordsOf(target)).toEqual([secret, sentinelSecret]);
          for (const hidden of [secret, sentinelSecret]) expect(describeRedis(target)).not.toContain(hidden);
          for (const shown of nodes.map(written)) expect(describeRedis(target)).toContain(shown);
        },
      ),
    );
  });

  test('a mistake anywhere never shows the password', () => {
    const secret = 'SECRETSECRET';
    const url = `redis+sentinel://user:${secret}@a:26379,b:26379/master/0?sentinelPassword=${secret}`;
    fc.assert(
      fc.property(
        fc.nat({ max: url.length }),
        fc.constantFrom('', '/', '#', '?', '@', ':', '%', ',', ' '),
        (at, extra) => {
          const broken = url.slice(0, at) + extra + url.slice(at + 1);
          try {
            parseRedisUrl(broken);
          } catch (error) {
            expect(String(error)).not.toMatch(/SECRET|CRETS|TSEC/);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
