/**
 * The import direction of the house (docs/structure.md):
 * workers, receiver, console, cli → enrichment, actions, alerts, channels, journal → rules, simplemdm, queues → events, config, telemetry, http.
 */
const floors = [
  ['workers', 'src/receiver', 'src/console', 'src/cli', 'src/main.ts'],
  ['src/enrichment', 'src/actions', 'src/alerts', 'src/channels', 'src/journal'],
  ['src/rules', 'src/simplemdm', 'src/queues'],
  ['src/events', 'src/config', 'src/telemetry', 'src/http'],
];
const pattern = (rooms) => `^(${rooms.map((room) => room.replace('.', '\\.')).join('|')})`;

const upward = floors.slice(1).map((rooms, index) => ({
  name: `no-import-upward-from-floor-${index + 2}`,
  comment: 'Imports run downward only.',
  severity: 'error',
  from: { path: pattern(rooms) },
  to: { path: pattern(floors.slice(0, index + 1).flat()) },
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
