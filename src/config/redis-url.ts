/** The address of one server. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** TLS of a connection. */
export interface RedisTls {
  /** The file with the certificates of the authorities that Redis is checked against. */
  readonly ca?: string;
}

interface RedisLogin {
  readonly username?: string;
  readonly password?: string;
  /** Undefined without TLS. */
  readonly tls?: RedisTls;
}

/** One Redis. */
export interface SingleRedis extends RedisLogin, RedisNode {
  readonly kind: 'single';
  readonly database: number;
}

/** A Redis Cluster, found through any of its nodes. */
export interface RedisCluster extends RedisLogin {
  readonly kind: 'cluster';
  readonly nodes: readonly RedisNode[];
}

/** The master that Sentinels name. */
export interface SentinelRedis extends RedisLogin {
  readonly kind: 'sentinel';
  readonly sentinels: readonly RedisNode[];
  readonly master: string;
  readonly database: number;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
}

/** What a `REDIS_URL` names. */
export type RedisTarget = SingleRedis | RedisCluster | SentinelRedis;

/** A `REDIS_URL` that names nothing. The message says what is wrong and what to write, without any part of a password. */
export class RedisUrlError extends Error {
  override readonly name = 'RedisUrlError';
}

const FORMS =
  'redis://user:password@host:6379/0, redis+cluster://user:password@a:6379,b:6379 or redis+sentinel://user:password@a:26379,b:26379/master (rediss… for TLS)';

/** What a setting that is not a URL at all is answered with. */
export const REDIS_URL_FORMS = `a URL such as ${FORMS}`;

const KINDS: Readonly<Record<string, RedisTarget['kind']>> = {
  '': 'single',
  '+cluster': 'cluster',
  '+sentinel': 'sentinel',
};

const DEFAULT_PORTS = { single: 6379, cluster: 6379, sentinel: 26_379 } as const;

/**
 * Reads a `REDIS_URL`: `redis://`, `redis+cluster://` or `redis+sentinel://`, each with `rediss` for TLS. The WHATWG URL parser knows no lists
 * of hosts, hence an own one.
 *
 * @throws RedisUrlError
 */
export function parseRedisUrl(url: string): RedisTarget {
  const found = /^redis(s?)(\+[a-z]+)?:\/\/([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/is.exec(url.trim());
  if (found === null) throw new RedisUrlError(`expected ${REDIS_URL_FORMS}`);
  const [, secure = '', suffix = '', authority = '', path = '', query = '', fragment] = found;
  const kind = KINDS[suffix.toLowerCase()];
  if (kind === undefined)
    throw new RedisUrlError(`unknown kind "${suffix.slice(1)}"; expected ${REDIS_URL_FORMS}`);
  // A bare "/", "?" or "#" in a password ends the authority too early, and the rest would be shown as a host or a path.
  if (fragment !== undefined || path.includes('@')) throw new RedisUrlError(UNENCODED);
  const at = authority.lastIndexOf('@');
  const login = at === -1 ? {} : loginOf(authority.slice(0, at));
  const nodes = nodesOf(authority.slice(at + 1), kind);
  const options = optionsOf(query, kind, secure !== '');
  const { ca, sentinelUsername, sentinelPassword } = options;
  const access = {
    ...login,
    ...(secure !== '' && { tls: { ...(ca !== undefined && { ca }) } }),
  };
  const [first, ...more] = nodes;
  switch (kind) {
    case 'single': {
      if (more.length > 0)
        throw new RedisUrlError(
          'redis:// has one address, found several: use redis+cluster:// for a Redis Cluster, or redis+sentinel:// for Sentinels',
        );
      return { kind, ...first, ...access, database: databaseOf(path.slice(1)) };
    }
    case 'cluster': {
      if (!/^\/?0?$/.test(path))
        throw new RedisUrlError(
          'a Redis Cluster has no numbered databases and no master name: end the URL after the addresses',
        );
      return { kind, nodes, ...access };
    }
    case 'sentinel': {
      const [master = '', database = '', ...rest] = path.slice(1).split('/');
      if (master === '' || rest.length > 0)
        throw new RedisUrlError(
          'expected the name of the master after the addresses of the Sentinels, such as redis+sentinel://a:26379,b:26379/mymaster',
        );
      return {
        kind,
        sentinels: nodes,
        master: decoded(master, 'the name of the master'),
        ...access,
        database: databaseOf(database),
        ...(sentinelUsername !== undefined && { sentinelUsername }),
        ...(sentinelPassword !== undefined && { sentinelPassword }),
      };
    }
  }
}

const UNENCODED =
  'user and password may not contain "/", "?", "#" or "@" as they are: write %2F, %3F, %23 and %40';

/** The passwords in a `REDIS_URL`, to be masked in logs. */
export function passwordsOf(target: RedisTarget): string[] {
  const sentinel = target.kind === 'sentinel' ? target.sentinelPassword : undefined;
  return [target.password, sentinel].filter((password) => password !== undefined);
}

/** The addresses and the kind of a `REDIS_URL` for messages: nothing in it is a secret. */
export function describeRedis(target: RedisTarget): string {
  switch (target.kind) {
    case 'single':
      return hostAndPort(target);
    case 'cluster':
      return `the cluster ${target.nodes.map(hostAndPort).join(', ')}`;
    case 'sentinel':
      return `the master "${target.master}" of the Sentinels ${target.sentinels.map(hostAndPort).join(', ')}`;
  }
}

/** An address as people write it. */
export function hostAndPort({ host, port }: RedisNode): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function loginOf(userinfo: string): { username?: string; password?: string } {
  const colon = userinfo.indexOf(':');
  if (colon === -1)
    throw new RedisUrlError('found one word before "@": write user:password@ or, without a user, :password@');
  const username = decoded(userinfo.slice(0, colon), 'the user');
  const password = decoded(userinfo.slice(colon + 1), 'the password');
  if (username !== '' && password === '')
    throw new RedisUrlError('the user has no password: write user:password@');
  return { ...(username !== '' && { username }), ...(password !== '' && { password }) };
}

/** Percent-decodes a part. A bare "%" cannot be decoded, and nothing of a password may be quoted. */
function decoded(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RedisUrlError(`${what} contains a "%" that begins no code such as %40: write %25`);
  }
}

function nodesOf(list: string, kind: RedisTarget['kind']): [RedisNode, ...RedisNode[]] {
  const [first = '', ...more] = list.split(',');
  const total = more.length + 1;
  const read = (address: string, index: number): RedisNode =>
    nodeOf(
      address.trim(),
      DEFAULT_PORTS[kind],
      total === 1 ? 'the address' : `address ${index + 1} of ${total}`,
    );
  return [read(first, 0), ...more.map((address, index) => read(address, index + 1))];
}

/** A host is not quoted: an unencoded password would show up as one. */
function nodeOf(address: string, defaultPort: number, where: string): RedisNode {
  if (address === '') throw new RedisUrlError(`${where} is empty; expected host:port`);
  if ((address.match(/:/g)?.length ?? 0) > 1 && !address.startsWith('['))
    throw new RedisUrlError(
      `${where} has several colons: write an IPv6 address in brackets, such as [::1]:${defaultPort}, and ":" in a password as %3A before "@"`,
    );
  const found = /^(?:\[([0-9a-f:.%]+)\]|([a-z0-9._-]+))(?::(.*))?$/i.exec(address);
  const host = found?.[1] ?? found?.[2];
  if (host === undefined)
    throw new RedisUrlError(
      `${where} is no host name or IP address with a port; expected host:${defaultPort}`,
    );
  const port = found?.[3];
  if (port === undefined) return { host, port: defaultPort };
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
    throw new RedisUrlError(`${where} has no port from 1 to 65535 after its ":"`);
  return { host, port: Number(port) };
}

function databaseOf(text: string): number {
  if (text === '') return 0;
  if (!/^\d{1,5}$/.test(text))
    throw new RedisUrlError('the database after the address must be a number, such as /0');
  return Number(text);
}

const OPTIONS = {
  single: ['ca'],
  cluster: ['ca'],
  sentinel: ['ca', 'sentinelUsername', 'sentinelPassword'],
} as const;

function optionsOf(
  query: string,
  kind: RedisTarget['kind'],
  secure: boolean,
): { ca?: string; sentinelUsername?: string; sentinelPassword?: string } {
  const known: readonly string[] = OPTIONS[kind];
  const options: Record<string, string> = {};
  for (const part of query.slice(1).split('&')) {
    if (part === '') continue;
    const [name = '', ...rest] = part.split('=');
    if (!known.includes(name))
      throw new RedisUrlError(`unknown option after "?"; expected ${known.join(', ')}`);
    if (name in options) throw new RedisUrlError(`the option ${name} is there twice`);
    const value = decoded(rest.join('='), `the option ${name}`);
    if (value === '') throw new RedisUrlError(`the option ${name} is empty`);
    options[name] = value;
  }
  if ('ca' in options && !secure)
    throw new RedisUrlError('the option ca needs TLS: begin the URL with rediss');
  if ('sentinelUsername' in options && !('sentinelPassword' in options))
    throw new RedisUrlError('sentinelUsername needs sentinelPassword');
  return options;
}
