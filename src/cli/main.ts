#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { openEnvFile } from '../config/env-file.js';
import { createProgram } from './program.js';
import { reportError } from './report-error.js';
import { paintFor, safeOutput } from './terminal.js';

try {
  const envFile = openEnvFile('.env', process.env);
  await createProgram(packageVersion(), {
    env: process.env,
    envFile,
    paint: paintFor(process.stdout, process.env),
    print: (text) => void process.stdout.write(`${safeOutput(text)}\n`),
  }).parseAsync();
} catch (error) {
  const report = reportError(error, process.argv.includes('--json'));
  if (report === undefined) throw error;
  process.stdout.write(safeOutput(report.stdout));
  process.stderr.write(safeOutput(report.stderr));
  // A half-started service must not linger on open handles.
  process.exit(report.exitCode);
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
