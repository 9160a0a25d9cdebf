/** Runs one contender in processes of its own and reads the JSON line that each prints last. */
import { spawn } from 'node:child_process';
import type { Measured } from './row.js';

/** Best time and highest peak of `runs` fresh processes. Throws Error when one of them fails. */
export async function measureCommand(command: readonly string[], runs = 1): Promise<Measured> {
  let best = await measureOnce(command);
  for (let n = 1; n < runs; n++) {
    const again = await measureOnce(command);
    best = {
      ...again,
      ...(best.seconds === undefined || again.seconds === undefined
        ? {}
        : { seconds: Math.min(best.seconds, again.seconds) }),
      peakBytes: Math.max(best.peakBytes, again.peakBytes),
    };
  }
  return best;
}

async function measureOnce(command: readonly string[]): Promise<Measured> {
  const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
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
    throw new Error(`${command.join(' ')} ended with ${status}: ${lastLines(errors)}`);
  return JSON.parse(line) as Measured;
}

function lastLines(text: string): string {
  return text
    .trim()
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-3)
    .join(' | ');
}
