import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { REPOSITORY, toolPath } from './helm-binary.js';

const CHART = join(REPOSITORY, 'helm/mdm-reflex');

/** The output and exit status of a command. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs helm or kubectl without the configuration of the user and without a cluster. */
export function run(tool: 'helm' | 'kubectl', args: readonly string[], input = ''): Outcome {
  const home = join(REPOSITORY, '.cache/kubectl/home');
  mkdirSync(home, { recursive: true });
  const { error, status, stdout, stderr } = spawnSync(toolPath(tool), args, {
    input,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: home, KUBECONFIG: join(home, 'none') },
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}

/** Runs `helm <verb> … helm/mdm-reflex` with the values. */
export function helm(verb: readonly string[], values: object = {}, args: readonly string[] = []): Outcome {
  return run('helm', [...verb, CHART, '--values', '-', ...args], JSON.stringify(values));
}

const labels = z.record(z.string(), z.string());

const source = z.object({ name: z.string(), key: z.string() });
const variable = z.strictObject({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z.strictObject({ secretKeyRef: source }).optional(),
});

const probe = z.looseObject({ httpGet: z.object({ path: z.string(), port: z.literal('http') }) });

const container = z.looseObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()),
  env: z.array(variable),
  envFrom: z.array(z.unknown()).default([]),
  ports: z.array(z.looseObject({ name: z.string(), containerPort: z.int() })),
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  lifecycle: z.unknown().optional(),
  securityContext: z.unknown(),
  resources: z.object({ requests: labels, limits: labels }),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })),
});

const pod = z.looseObject({
  serviceAccountName: z.string(),
  automountServiceAccountToken: z.boolean(),
  terminationGracePeriodSeconds: z.int(),
  securityContext: z.unknown(),
  containers: z.tuple([container]),
  volumes: z.array(z.looseObject({ name: z.string() })),
});

const manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string(), labels }),
});

const deployment = manifest.extend({
  spec: z.looseObject({
    replicas: z.int().optional(),
    selector: z.object({ matchLabels: labels }),
    template: z.object({
      metadata: z.object({ annotations: labels, labels }),
      spec: pod,
    }),
  }),
});

/** A resource of the rendered chart. */
export type Manifest = z.output<typeof manifest>;

/** A deployment of the rendered chart. */
export type Deployment = z.output<typeof deployment>;

/** Renders the chart with the values. */
export function render(values: object, args: readonly string[] = []): Manifest[] {
  const { status, stdout, stderr } = helm(['template', 'fleet'], values, args);
  if (status !== 0) throw new Error(stderr);
  return parseAllDocuments(stdout).flatMap((document) => {
    if (document.errors.length > 0) throw new Error(document.errors.join('\n'));
    const content: unknown = document.toJS();
    return content === null ? [] : [manifest.parse(content)];
  });
}

/** The resources of a kind. */
export function ofKind(manifests: readonly Manifest[], kind: string): Manifest[] {
  return manifests.filter((candidate) => candidate.kind === kind);
}

/** The deployment of a role. */
export function deploymentOf(manifests: readonly Manifest[], role: 'receiver' | 'worker'): Deployment {
  const found = ofKind(manifests, 'Deployment').find(
    ({ metadata }) => metadata.labels['app.kubernetes.io/component'] === role,
  );
  return deployment.parse(found);
}

/** The data of a config map, or the decoded data of a Secret. */
export function dataOf(resource: Manifest | undefined): Record<string, string> {
  const { data, kind } = z.object({ kind: z.string(), data: labels }).parse(resource);
  if (kind !== 'Secret') return data;
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
  );
}

/** The environment of the container of a role, with Secret references resolved. */
export function environmentOf(
  from: Deployment,
  secrets: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Record<string, string> {
  return Object.fromEntries(
    from.spec.template.spec.containers[0].env.map(({ name, value, valueFrom }) => {
      const text =
        valueFrom === undefined ? value : secrets[valueFrom.secretKeyRef.name]?.[valueFrom.secretKeyRef.key];
      if (text === undefined) throw new Error(`${name} has no value`);
      return [name, text];
    }),
  );
}

/** The paths of a document that are missing in another document, because a program dropped unknown fields. */
export function missingPaths(document: unknown, other: unknown, path = ''): string[] {
  if (typeof document !== 'object' || document === null) return [];
  if (typeof other !== 'object' || other === null) return [path];
  const known = new Map<string, unknown>(Object.entries(other));
  return Object.entries(document).flatMap(([key, value]) =>
    known.has(key) ? missingPaths(value, known.get(key), `${path}/${key}`) : [`${path}/${key}`],
  );
}
