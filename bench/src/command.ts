/**
 * A program as a contender: wall time of the whole process and its VmHWM, read while it runs. Arguments: repeats, where
 * its masks will lie (`-` for none), program, arguments. The best time and the highest peak count.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readNifti } from '@isocenter/formats';
import { peakOf } from './peak-memory.js';

const [repeats, masks, program, ...args] = process.argv.slice(2);
/** A process that grows in its last moments is underestimated by what it grows in this time. */
const POLL_MS = 2;

let seconds = Number.POSITIVE_INFINITY;
let peakBytes = 0;
for (let n = 0; n < Number(repeats); n++) {
  if (masks !== '-') rmSync(masks, { recursive: true, force: true });
  seconds = Math.min(seconds, await once());
}
console.log(JSON.stringify({ seconds, peakBytes, check: masks === '-' ? null : await countVoxels(masks) }));

async function once(): Promise<number> {
  const started = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint = (complaint + chunk).slice(-1000);
  });
  const poll = setInterval(() => {
    peakBytes = Math.max(peakBytes, (child.pid && peakOf(child.pid)) || 0);
  }, POLL_MS);
  const [status, ended] = await new Promise<[number | null, number]>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve([code, performance.now()]));
  });
  clearInterval(poll);
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${complaint}`);
  return (ended - started) / 1000;
}

async function countVoxels(folder: string): Promise<unknown> {
  if (!existsSync(folder)) throw new Error(`${program} wrote no masks`);
  let voxels = 0;
  const names = readdirSync(folder).filter((name) => name.endsWith('.nii.gz'));
  for (const name of names) {
    const { data } = (await readNifti(readFileSync(join(folder, name)))).channels[0];
    for (let n = 0; n < data.length; n++) if (data[n] !== 0) voxels++;
  }
  return { structures: names.length, voxels };
}
