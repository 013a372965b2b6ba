import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { readSettings } from '../../../src/config/settings.js';
import { dataOf, deploymentOf, environmentOf, helm, missingPaths, ofKind, render, run } from './chart.js';
import type { Manifest } from './chart.js';
import { REPOSITORY, toolPath } from './helm-binary.js';
import { KNOWN_SETTINGS } from './known-settings.js';

const ROLES = ['receiver', 'worker'] as const;

// Everything that a template language could misread: braces, dollar signs, HTML characters, tabs, trailing spaces.
const FLEET_RULES = [
  'channels:',
  '  it-chat: { type: slack, url: "${env:SLACK_WEBHOOK_URL}" }',
  'rules:',
  '  - id: onboard-laptops   ',
  '    on: device.enrolled',
  '    if: device.battery < 10 && device.name != "<none>"',
  '    do:',
  '      - notify: { channel: it-chat, title: "{{ device.name }} {{- include }} joined 🎉" }',
  '\t# a tab\\n',
  '',
  '',
].join('\n');

const SECRETS = {
  REDIS_URL: 'redis://:redis-password@redis.example.org:6379',
  WEBHOOK_TOKEN: 'webhook-token-of-the-test',
  ADMIN_TOKEN: 'admin-token-of-the-test',
  SIMPLEMDM_API_KEY: 'api-key-of-the-test',
};

const NEEDED = {
  image: { repository: 'registry.example.org/mdm-reflex' },
  redis: { url: SECRETS.REDIS_URL },
  webhook: { token: SECRETS.WEBHOOK_TOKEN },
  admin: { token: SECRETS.ADMIN_TOKEN },
  simplemdm: { apiKey: SECRETS.SIMPLEMDM_API_KEY },
  rules: { 'fleet.yaml': FLEET_RULES },
};

const EVERYTHING = {
  ...NEEDED,
  imagePullSecrets: [{ name: 'registry' }],
  settings: { LOG_LEVEL: 'debug', RETRY_MAX_MS: 86_400_000, REPEAT_WINDOW_DAYS: '30', RETRY_ATTEMPTS: '' },
  accounts: { existingSecret: 'accounts', receiverKey: 'receiver.yaml', workerKey: 'worker.yaml' },
  webhook: { token: '' },
  simplemdm: { apiKey: '' },
  receiver: {
    extraEnv: [{ name: 'TZ', value: 'UTC' }],
    tolerations: [{ key: 'dedicated', operator: 'Exists' }],
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    podLabels: { team: 'clients' },
    podAnnotations: { 'prometheus.io/scrape': 'true' },
    trustProxy: 2,
  },
  worker: {
    extraEnvFrom: [{ secretRef: { name: 'channels' } }],
    affinity: { nodeAffinity: {} },
    autoscaling: { enabled: true },
  },
  service: { type: 'LoadBalancer', annotations: { 'example.org/note': 'yes' } },
  ingress: {
    enabled: true,
    host: 'mdm.example.org',
    className: 'nginx',
    tlsSecretName: 'mdm-tls',
    annotations: { 'example.org/note': 'yes' },
  },
  serviceAccount: { annotations: { 'example.org/note': 'yes' } },
};

const defaults = render(NEEDED);

function names(manifests: readonly Manifest[]): string[] {
  return manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort();
}

function annotationsOf(values: object, role: (typeof ROLES)[number]): Record<string, string> {
  return deploymentOf(render(values), role).spec.template.metadata.annotations;
}

describe('the chart', () => {
  test('passes helm lint --strict, with its defaults and with everything on', () => {
    for (const values of [{}, NEEDED, EVERYTHING]) {
      const { status, stdout } = helm(['lint', '--strict'], values);
      expect(stdout).toContain('1 chart(s) linted, 0 chart(s) failed');
      expect(status).toBe(0);
    }
  });

  test('carries the version of the package', () => {
    const chart = z
      .object({ apiVersion: z.literal('v2'), name: z.string(), version: z.string(), appVersion: z.string() })
      .parse(parse(readFileSync(join(REPOSITORY, 'helm/mdm-reflex/Chart.yaml'), 'utf8')));
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')));
    expect(chart).toEqual({ apiVersion: 'v2', name: 'mdm-reflex', version: '0.1.0', appVersion: version });
  });

  test('creates these resources by default', () => {
    expect(names(defaults)).toEqual([
      'ConfigMap fleet-mdm-reflex-rules',
      'Deployment fleet-mdm-reflex-receiver',
      'Deployment fleet-mdm-reflex-worker',
      'PodDisruptionBudget fleet-mdm-reflex-receiver',
      'Secret fleet-mdm-reflex',
      'Service fleet-mdm-reflex',
      'ServiceAccount fleet-mdm-reflex',
    ]);
  });

  test('creates an autoscaler and an ingress when enabled', () => {
    const manifests = render(EVERYTHING);
    expect(names(manifests).filter((name) => /^(Ingress|Horizontal)/.test(name))).toEqual([
      'HorizontalPodAutoscaler fleet-mdm-reflex-worker',
      'Ingress fleet-mdm-reflex',
    ]);
    expect(deploymentOf(manifests, 'worker').spec.replicas).toBeUndefined();
    expect(ofKind(manifests, 'HorizontalPodAutoscaler')[0]).toMatchObject({
      spec: { scaleTargetRef: { kind: 'Deployment', name: 'fleet-mdm-reflex-worker' }, maxReplicas: 4 },
    });
    expect(ofKind(manifests, 'Ingress')[0]).toMatchObject({
      spec: {
        ingressClassName: 'nginx',
        tls: [{ hosts: ['mdm.example.org'], secretName: 'mdm-tls' }],
        rules: [
          {
            host: 'mdm.example.org',
            http: {
              // Nothing else is reachable from the internet, neither the API nor the metrics.
              paths: [
                {
                  path: '/webhooks/simplemdm',
                  pathType: 'Prefix',
                  backend: { service: { name: 'fleet-mdm-reflex', port: { name: 'http' } } },
                },
              ],
            },
          },
        ],
      },
    });
  });

  test('sets the labels that Kubernetes recommends', () => {
    for (const { metadata } of render(EVERYTHING)) {
      expect(metadata.labels).toMatchObject({
        'app.kubernetes.io/name': 'mdm-reflex',
        'app.kubernetes.io/instance': 'fleet',
        'app.kubernetes.io/version': '0.1.0',
        'app.kubernetes.io/part-of': 'mdm-reflex',
        'app.kubernetes.io/managed-by': 'Helm',
        'helm.sh/chart': 'mdm-reflex-0.1.0',
      });
    }
  });

  test('selects exactly the pods of each role', () => {
    const pods = ROLES.map((role) => deploymentOf(defaults, role).spec);
    for (const { selector, template } of pods)
      expect(template.metadata.labels).toMatchObject(selector.matchLabels);
    const [receiver, worker] = pods;
    expect(receiver?.selector.matchLabels).not.toEqual(worker?.selector.matchLabels);
    expect(ofKind(defaults, 'Service')[0]).toMatchObject({
      spec: { selector: receiver?.selector.matchLabels, ports: [{ port: 80, targetPort: 'http' }] },
    });
    expect(ofKind(defaults, 'PodDisruptionBudget')[0]).toMatchObject({
      spec: { maxUnavailable: 1, selector: receiver?.selector },
    });
  });

  test('keeps its names short enough for any release name', () => {
    const manifests = render({ ...NEEDED, fullnameOverride: 'a-very-long-name-'.repeat(6) });
    for (const { metadata } of manifests) expect(metadata.name.length).toBeLessThanOrEqual(63);
  });
});

describe('the pods', () => {
  test.each(ROLES)('of the %s meet the "restricted" Pod Security Standard', (role) => {
    const { spec } = deploymentOf(defaults, role).spec.template;
    expect(spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(spec.containers[0].securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(spec.automountServiceAccountToken).toBe(false);
    expect(ofKind(defaults, 'ServiceAccount')[0]).toMatchObject({
      automountServiceAccountToken: false,
      metadata: { name: spec.serviceAccountName },
    });
    for (const { hostPath } of spec.volumes) expect(hostPath).toBeUndefined();
  });

  test.each(ROLES)('of the %s are probed at /healthz and /readyz', (role) => {
    const [container] = deploymentOf(defaults, role).spec.template.spec.containers;
    expect(container.args).toEqual([role]);
    expect(container.ports).toEqual([{ name: 'http', containerPort: 8080, protocol: 'TCP' }]);
    expect(container.startupProbe.httpGet.path).toBe('/healthz');
    expect(container.livenessProbe.httpGet.path).toBe('/healthz');
    expect(container.readinessProbe.httpGet.path).toBe('/readyz');
  });

  test.each(ROLES)('of the %s have time to stop', (role) => {
    const { spec } = deploymentOf(defaults, role).spec.template;
    expect(spec.terminationGracePeriodSeconds).toBe(30);
    const pause = z
      .object({
        preStop: z.object({ exec: z.object({ command: z.tuple([z.literal('sleep'), z.string()]) }) }),
      })
      .transform(({ preStop }) => Number(preStop.exec.command[1]))
      .optional()
      .parse(spec.containers[0].lifecycle);
    // The service itself takes up to 25 seconds.
    expect((pause ?? 0) + 25).toBeLessThan(spec.terminationGracePeriodSeconds);
  });

  test.each(ROLES)('of the %s mount only existing volumes, and can write to /tmp', (role) => {
    for (const values of [NEEDED, EVERYTHING]) {
      const { spec } = deploymentOf(render(values), role).spec.template;
      const mounted = spec.containers[0].volumeMounts.map(({ name }) => name).sort();
      expect(mounted).toEqual(spec.volumes.map(({ name }) => name).sort());
      expect(spec.volumes).toContainEqual({ name: 'tmp', emptyDir: {} });
    }
  });

  test('use the image of the values', () => {
    const imageOf = (image: object): string =>
      deploymentOf(render({ ...NEEDED, image }), 'worker').spec.template.spec.containers[0].image;
    const digest = `sha256:${'0'.repeat(64)}`;
    expect(imageOf({ repository: 'example.org/x' })).toBe('example.org/x:0.1.0');
    expect(imageOf({ repository: 'example.org/x', tag: '1.2' })).toBe('example.org/x:1.2');
    expect(imageOf({ repository: 'example.org/x', tag: '1.2', digest })).toBe(`example.org/x@${digest}`);
  });

  test('are valid for Kubernetes: kubectl knows every field and its type', () => {
    // `--local` needs no server: it decodes every document into the Kubernetes types and prints those with pods.
    for (const manifests of [defaults, render(EVERYTHING)]) {
      const { stderr } = run(
        'kubectl',
        ['set', 'env', '--local', '-f', '-', 'CHECKED=yes', '-o', 'name'],
        manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n'),
      );
      expect(stderr).not.toContain('unable to decode');
      const read = new Set(
        [...stderr.matchAll(/does not have a pod template: \*v\d\.(\w+)/g)].map(([, kind]) => kind),
      );
      expect(read).toEqual(
        new Set(manifests.map(({ kind }) => kind).filter((kind) => kind !== 'Deployment')),
      );
      for (const manifest of ofKind(manifests, 'Deployment')) {
        const { status, stdout } = run(
          'kubectl',
          ['set', 'env', '--local', '-f', '-', 'CHECKED=yes', '-o', 'json'],
          JSON.stringify(manifest),
        );
        expect(status).toBe(0);
        expect(missingPaths(manifest, JSON.parse(stdout))).toEqual([]);
      }
    }
  });
});

describe('the environment of the pods', () => {
  const secrets = { 'fleet-mdm-reflex': dataOf(ofKind(defaults, 'Secret')[0]) };

  test('is sufficient for each role to start', () => {
    for (const role of ROLES) {
      const settings = readSettings(environmentOf(deploymentOf(defaults, role), secrets), [role]);
      expect(settings).toMatchObject({
        NODE_ENV: 'production',
        HOST: '0.0.0.0',
        PORT: 8080,
        LOG_LEVEL: 'info',
      });
      expect(settings.REDIS_URL).toBe(SECRETS.REDIS_URL);
    }
  });

  test('is sufficient with several accounts, each role with its own copy of the file', () => {
    const manifests = render(EVERYTHING);
    const held = { 'fleet-mdm-reflex': dataOf(ofKind(manifests, 'Secret')[0]) };
    for (const role of ROLES) {
      const deployment = deploymentOf(manifests, role);
      const settings = readSettings(environmentOf(deployment, held), [role]);
      expect(settings).toMatchObject({ ACCOUNTS_FILE: '/accounts/accounts.yaml', RETRY_MAX_MS: 86_400_000 });
      expect(deployment.spec.template.spec.volumes).toContainEqual({
        name: 'accounts',
        secret: {
          secretName: 'accounts',
          defaultMode: 0o440,
          items: [{ key: `${role}.yaml`, path: 'accounts.yaml' }],
        },
      });
    }
    expect(Object.keys(held['fleet-mdm-reflex']).sort()).toEqual(['ADMIN_TOKEN', 'REDIS_URL']);
  });

  test('holds only settings that the service knows', () => {
    for (const role of ROLES) {
      for (const name of Object.keys(environmentOf(deploymentOf(defaults, role), secrets))) {
        expect([...KNOWN_SETTINGS]).toContain(name);
      }
    }
  });

  test('gives no role a secret of the other', () => {
    expect(environmentOf(deploymentOf(defaults, 'receiver'), secrets)).not.toHaveProperty(
      'SIMPLEMDM_API_KEY',
    );
    const worker = environmentOf(deploymentOf(defaults, 'worker'), secrets);
    expect(worker).not.toHaveProperty('WEBHOOK_TOKEN');
    expect(worker).not.toHaveProperty('ADMIN_TOKEN');
    for (const role of ROLES) {
      const { containers, volumes } = deploymentOf(defaults, role).spec.template.spec;
      // Never a complete Secret.
      expect(containers[0].envFrom).toEqual([]);
      for (const volume of volumes) expect(volume).not.toHaveProperty('secret');
    }
  });

  test('trusts a proxy only when there is one', () => {
    const trusted = (values: object): string | undefined =>
      environmentOf(deploymentOf(render(values), 'receiver'), secrets)['TRUST_PROXY'];
    expect(trusted(NEEDED)).toBeUndefined();
    expect(trusted({ ...NEEDED, ingress: { enabled: true, host: 'mdm.example.org' } })).toBe('1');
    expect(trusted({ ...NEEDED, receiver: { trustProxy: '10.0.0.0/8' } })).toBe('10.0.0.0/8');
  });
});

describe('the secrets', () => {
  test('are in the Secret and nowhere else', () => {
    expect(dataOf(ofKind(defaults, 'Secret')[0])).toEqual(SECRETS);
    for (const manifest of defaults.filter(({ kind }) => kind !== 'Secret')) {
      for (const value of Object.values(SECRETS)) {
        expect(JSON.stringify(manifest)).not.toContain(value);
        expect(JSON.stringify(manifest)).not.toContain(Buffer.from(value).toString('base64'));
      }
    }
  });

  test('are not in the notes', () => {
    const { stdout, status } = helm(['install', 'fleet', '--dry-run=client'], NEEDED);
    expect(status).toBe(0);
    const notes = stdout.slice(stdout.indexOf('NOTES:'));
    expect(notes).toContain('rollout status deployment/fleet-mdm-reflex-worker');
    for (const value of Object.values(SECRETS)) expect(notes).not.toContain(value);
  });

  test('of the operator replace those of the chart', () => {
    const manifests = render({
      image: NEEDED.image,
      rules: NEEDED.rules,
      existingSecret: 'mine',
      redis: { existingSecret: 'my-redis', existingSecretKey: 'url' },
    });
    expect(ofKind(manifests, 'Secret')).toEqual([]);
    const { SIMPLEMDM_API_KEY, ADMIN_TOKEN, WEBHOOK_TOKEN, REDIS_URL } = SECRETS;
    const held = {
      mine: { SIMPLEMDM_API_KEY, ADMIN_TOKEN, WEBHOOK_TOKEN },
      'my-redis': { url: REDIS_URL },
    };
    for (const role of ROLES) {
      const environment = environmentOf(deploymentOf(manifests, role), held);
      expect(readSettings(environment, [role]).REDIS_URL).toBe(REDIS_URL);
    }
  });

  test('of the operator can be combined with a Redis URL in the values', () => {
    const { image, rules, redis } = NEEDED;
    const manifests = render({ image, rules, redis, existingSecret: 'mine' });
    expect(dataOf(ofKind(manifests, 'Secret')[0])).toEqual({ REDIS_URL: SECRETS.REDIS_URL });
  });

  test('restart the pods that use them, and no others', () => {
    const before = { receiver: annotationsOf(NEEDED, 'receiver'), worker: annotationsOf(NEEDED, 'worker') };
    const newKey = { ...NEEDED, simplemdm: { apiKey: 'another-api-key' } };
    expect(annotationsOf(newKey, 'receiver')).toEqual(before.receiver);
    expect(annotationsOf(newKey, 'worker')).not.toEqual(before.worker);
    const newToken = { ...NEEDED, webhook: { token: 'another-webhook-token' } };
    expect(annotationsOf(newToken, 'receiver')).not.toEqual(before.receiver);
    expect(annotationsOf(newToken, 'worker')).toEqual(before.worker);
    expect(before.receiver['checksum/secret']).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('the rules', () => {
  test('stay unchanged', () => {
    const files = {
      'fleet.yaml': FLEET_RULES,
      'windows.yml': 'rules: []\r\n# é\r\n',
      'no-end.yaml': '  rules: []',
    };
    const manifests = render({ ...NEEDED, rules: files });
    expect(dataOf(ofKind(manifests, 'ConfigMap')[0])).toEqual(files);
    const { containers, volumes } = deploymentOf(manifests, 'worker').spec.template.spec;
    expect(volumes).toContainEqual({ name: 'rules', configMap: { name: 'fleet-mdm-reflex-rules' } });
    expect(containers[0].volumeMounts).toContainEqual({ name: 'rules', mountPath: '/rules', readOnly: true });
    expect(containers[0].env).toContainEqual({ name: 'RULES_PATH', value: '/rules' });
  });

  test('can be set from files, as the values describe', () => {
    const path = 'package.json';
    const rest = { ...NEEDED, rules: {} };
    const manifests = render(rest, ['--set-file', `rules.fleet\\.yaml=${join(REPOSITORY, path)}`]);
    expect(dataOf(ofKind(manifests, 'ConfigMap')[0])).toEqual({
      'fleet.yaml': readFileSync(join(REPOSITORY, path), 'utf8'),
    });
  });

  test('restart the workers when they change, and not the receivers', () => {
    const changed = { ...NEEDED, rules: { 'fleet.yaml': `${FLEET_RULES}# more\n` } };
    expect(annotationsOf(changed, 'worker')['checksum/rules']).not.toBe(
      annotationsOf(NEEDED, 'worker')['checksum/rules'],
    );
    expect(annotationsOf(changed, 'receiver')).toEqual(annotationsOf(NEEDED, 'receiver'));
    expect(annotationsOf(NEEDED, 'worker')).toEqual(annotationsOf(NEEDED, 'worker'));
  });

  test('can be in a config map of the operator', () => {
    const manifests = render({ ...NEEDED, rules: {}, existingRulesConfigMap: 'my-rules' });
    expect(ofKind(manifests, 'ConfigMap')).toEqual([]);
    expect(deploymentOf(manifests, 'worker').spec.template.spec.volumes).toContainEqual({
      name: 'rules',
      configMap: { name: 'my-rules' },
    });
  });
});

describe('invalid values', () => {
  function refusal(values: object): string {
    const { status, stderr } = helm(['template', 'fleet'], values);
    expect(status).not.toBe(0);
    return stderr;
  }

  test('a missing Redis is reported, with what to do', () => {
    expect(refusal({ ...NEEDED, redis: {} })).toContain(
      'redis.url: not set; the chart does not install Redis: expected a redis://, redis+cluster:// or redis+sentinel:// URL (rediss… for TLS), or the name of a Secret that holds the URL in redis.existingSecret',
    );
  });

  test.each([
    'redis://:pw@a:6379/1',
    'rediss://a',
    'redis+cluster://:pw@a:6379,b:6379',
    'rediss+cluster://a',
    'redis+sentinel://:pw@a:26379,b:26379/fleet',
    'rediss+sentinel://a/fleet',
  ])('a Redis URL of each form is taken (%s)', (url) => {
    const secret = dataOf(ofKind(render({ ...NEEDED, redis: { url } }), 'Secret')[0]);
    expect(secret['REDIS_URL']).toBe(url);
  });

  test('all missing values are reported together', () => {
    const message = refusal({});
    for (const name of [
      'image.repository',
      'redis.url',
      'webhook.token',
      'admin.token',
      'simplemdm.apiKey',
      'rules',
    ]) {
      expect(message).toContain(`  ${name}: `);
    }
  });

  test.each([
    ['a URL of another kind', { redis: { url: 'http://hidden-host' } }, 'redis.url: expected a URL'],
    ['two sources for Redis', { redis: { url: 'redis://x', existingSecret: 'y' } }, 'redis: both'],
    [
      'two sources for the secrets',
      { existingSecret: 'mine' },
      'admin.token: set together with existingSecret',
    ],
    ['two sources for the rules', { existingRulesConfigMap: 'mine' }, 'rules: both'],
    ['a short token', { webhook: { token: 'hidden' } }, 'webhook.token: expected at least 16 characters'],
    [
      'a short token next to a long one',
      { webhook: { token: `${'x'.repeat(20)},hidden` } },
      'webhook.token: ',
    ],
    ['a short admin token', { admin: { token: 'hidden' } }, 'admin.token: expected at least 16 characters'],
    ['an ingress without a host', { ingress: { enabled: true } }, 'ingress.host: not set'],
  ])('%s is rejected, without showing secrets', (_what, values, message) => {
    const text = refusal({ ...NEEDED, ...values });
    expect(text).toContain(message);
    expect(text).not.toContain('hidden');
  });

  test.each([
    ['a misspelled value', { recever: { replicas: 2 } }, "additional properties 'recever' not allowed"],
    [
      'a misspelled nested value',
      { redis: { ...NEEDED.redis, ulr: 'x' } },
      "additional properties 'ulr' not allowed",
    ],
    [
      'an unknown setting',
      { settings: { LOGLEVEL: 'info' } },
      "additional properties 'LOGLEVEL' not allowed",
    ],
    ['an unknown log level', { settings: { LOG_LEVEL: 'loud' } }, "at '/settings/LOG_LEVEL'"],
    ['a rule file with another ending', { rules: { 'fleet.json': '{}' } }, "'fleet.json' not allowed"],
    ['a rule file that is not text', { rules: { 'fleet.yaml': { rules: [] } } }, "at '/rules/fleet.yaml'"],
    ['replicas that are no number', { worker: { replicas: 'two' } }, "at '/worker/replicas'"],
  ])('the schema rejects %s', (_what, values, message) => {
    const text = refusal({ ...NEEDED, ...values });
    expect(text).toContain("values don't meet the specifications of the schema");
    expect(text).toContain(message);
  });

  test('values.yaml and the schema name the same groups', () => {
    const schema: unknown = JSON.parse(
      readFileSync(join(REPOSITORY, 'helm/mdm-reflex/values.schema.json'), 'utf8'),
    );
    const text = readFileSync(join(REPOSITORY, 'helm/mdm-reflex/values.yaml'), 'utf8');
    const { properties } = z.object({ properties: z.record(z.string(), z.unknown()) }).parse(schema);
    const values = z.record(z.string(), z.unknown()).parse(parse(text));
    expect(
      Object.keys(properties)
        .filter((name) => name !== 'global')
        .sort(),
    ).toEqual(Object.keys(values).sort());
  });
});

test('the tools are unpacked once, without leftovers', () => {
  const helmPath = toolPath('helm');
  expect(toolPath('helm')).toBe(helmPath);
  if (helmPath === 'helm') return;
  expect(readdirSync(join(helmPath, '..')).sort()).toEqual(['helm', 'kubectl']);
});
