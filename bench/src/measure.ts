/** Runs one contender in its own process and reads the JSON line it prints last. */
import { spawn } from 'node:child_process';
import type { Measured } from './row.js';

export async function measureCommand(
  command: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Measured> {
  const child = spawn(command[0], command.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    errors = (errors + chunk).slice(-4000);
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const line = output.trimEnd().split('\n').at(-1) ?? '';
  if (status !== 0 || !line.startsWith('{'))
    throw new Error(`${command.join(' ')} ended with ${status}: ${errors.trim().split('\n').at(-1) ?? ''}`);
  return JSON.parse(line) as Measured;
}
