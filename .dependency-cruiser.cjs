/** The layers of docs/development/structure.md, from the top down: a folder imports from its own layer and those below. */
const layers = [
  ['src/main.ts', 'src/cli', 'src/service'],
  ['workers', 'src/receiver', 'src/console'],
  ['src/runs', 'src/schedules'],
  ['src/enrichment', 'src/actions', 'src/alerts', 'src/channels'],
  ['src/coordination', 'src/journal', 'src/lookups'],
  ['src/rules', 'src/simplemdm', 'src/queues'],
  ['src/events', 'src/config', 'src/telemetry', 'src/http', 'src/errors'],
];
const pattern = (folders) => `^(${folders.map((folder) => folder.replace('.', '\\.')).join('|')})(/|$)`;

const upward = layers.slice(1).map((folders, index) => ({
  name: `no-import-upward-from-layer-${index + 2}`,
  comment: 'Imports point downward only.',
  severity: 'error',
  from: { path: pattern(folders) },
  to: { path: pattern(layers.slice(0, index + 1).flat()) },
}));

module.exports = {
  forbidden: [
    ...upward,
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'rules-are-pure',
      comment: 'rules/ does no I/O: no API, no queue, no node module that reaches outside.',
      severity: 'error',
      from: { path: '^src/rules' },
      to: {
        path: '^(src/(simplemdm|queues)|node:(fs|http|https|net|child_process|dns)|fs|http|https|net|child_process|dns|bullmq|ioredis|express)',
      },
    },
    {
      name: 'receiver-knows-no-rules-and-no-api',
      severity: 'error',
      from: { path: '^src/receiver' },
      to: { path: '^src/(rules|simplemdm|actions|enrichment)' },
    },
    {
      name: 'simulator-stands-alone',
      comment: "A simulator that shared the client's code would share its mistakes.",
      severity: 'error',
      from: { path: '^simulator' },
      to: { path: '^(src|workers)' },
    },
    {
      name: 'product-does-not-import-the-simulator',
      severity: 'error',
      from: { path: '^(src|workers)', pathNot: '^src/cli/demo' },
      to: { path: '^(simulator|test|bench)' },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: '\\.d\\.ts$' },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
