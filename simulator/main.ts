#!/usr/bin/env node
import { readCommandLine, usage } from './command-line.js';
import type { SimulatorOptions } from './simulator.js';
import { startSimulator } from './start.js';

const command = readCommandLine(process.argv.slice(2));
switch (command.kind) {
  case 'help':
    process.stdout.write(usage);
    break;
  case 'invalid':
    process.stderr.write(`simulator: ${command.problem}\n\n${usage}`);
    process.exitCode = 2;
    break;
  case 'start':
    await run(command.options);
    break;
}

async function run(options: SimulatorOptions): Promise<void> {
  try {
    const simulator = await startSimulator(options);
    process.stdout.write(
      `SimpleMDM simulator at ${simulator.url} · try: curl -u <api key>: ${simulator.url}/devices · control: ${simulator.origin}/__simulator\n`,
    );
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => void simulator.close().then(() => process.exit(0)));
    }
  } catch (error) {
    process.stderr.write(
      `simulator: cannot listen: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    process.exitCode = 1;
  }
}
