/**
 * `npm run bench [-- --tiny] [-- --only TEXT] [-- --json FILE]`: our figure, the peer's figure and the ratio of every row, from
 * one run on one machine. `--tiny` runs every row on a small input, to show that the benches still work.
 */
import { writeFileSync } from 'node:fs';
import { measureCommand } from './measure.js';
import type { Contender, Measured, Row } from './row.js';
import { rows } from './rows.js';

const args = process.argv.slice(2);
const option = (name: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
const tiny = args.includes('--tiny');
const only = option('--only');

const SHORT_SECONDS = 0.01;

interface Result {
  readonly row: string;
  readonly who: string;
  readonly measured?: Measured;
  readonly speedRatio?: number;
  readonly memoryRatio?: number;
  readonly reached?: boolean;
  readonly note?: string;
  /** The peer's answer is not ours. */
  readonly difference?: string;
}

const results: Result[] = [];
let broken = 0;
console.log(
  `Isocenter bench, Node ${process.version}, ${tiny ? 'tiny inputs: ratios mean nothing here' : 'full inputs'}\n`,
);
console.log(
  [
    'work'.padEnd(44),
    'who'.padEnd(26),
    'seconds'.padStart(9),
    'peak MB'.padStart(9),
    'speed ×'.padStart(9),
    'memory ×'.padStart(9),
    ' aim',
  ].join(' '),
);

for (const row of await rows(tiny)) {
  if (only && !row.name.toLowerCase().includes(only.toLowerCase())) continue;
  const ours = await run(row, row.ours);
  for (const peer of row.peers) await run(row, peer, ours);
}
const path = option('--json');
if (path) writeFileSync(path, `${JSON.stringify(results, undefined, 2)}\n`);
if (broken > 0) {
  console.log(`\n${broken} of our contenders failed`);
  process.exitCode = 1;
}

async function run(row: Row, contender: Contender, ours?: Measured): Promise<Measured | undefined> {
  if ('skipped' in contender) {
    report({ row: row.name, who: contender.name, note: `skipped: ${contender.skipped}` });
    return undefined;
  }
  try {
    const measured = await measureCommand(contender.command, contender.runs);
    const isPeer = contender !== row.ours;
    const difference = ours && isPeer ? row.differs?.(ours.check, measured.check) : undefined;
    const speedRatio = ours?.seconds && isPeer && measured.seconds ? measured.seconds / ours.seconds : undefined;
    const memoryRatio = ours && isPeer ? ours.peakBytes / measured.peakBytes : undefined;
    const aims: string[] = [];
    let reached = true;
    if (isPeer && contender.aim?.speed && speedRatio) {
      aims.push(`≥ ${contender.aim.speed} ×`);
      reached &&= speedRatio >= contender.aim.speed;
    }
    if (isPeer && contender.aim?.memory && memoryRatio) {
      aims.push(`memory ≤ ${Number(contender.aim.memory.toFixed(2))} ×`);
      reached &&= memoryRatio <= contender.aim.memory;
    }
    if (!isPeer && row.own) {
      aims.push(row.own.text);
      reached &&= row.own.holds(measured);
    }
    report({
      row: row.name,
      who: contender.name,
      measured,
      speedRatio,
      memoryRatio,
      reached: aims.length > 0 ? reached : undefined,
      note: aims.join(', '),
      ...(difference ? { difference } : {}),
    });
    return measured;
  } catch (error) {
    if (contender === row.ours) broken++;
    report({ row: row.name, who: contender.name, note: `failed: ${(error as Error).message.slice(-300)}` });
    return undefined;
  }
}

function report(result: Result): void {
  results.push(result);
  const number = (value: number | undefined, digits: number) =>
    (value === undefined ? '' : value.toFixed(digits)).padStart(9);
  // Three digits after the point are too few for a request of a tenth of a millisecond.
  const digitsOf = (seconds = 1) => (seconds < SHORT_SECONDS ? 6 : 3);
  const verdict = result.reached === undefined ? '' : tiny ? '' : result.reached ? ' reached' : ' NOT REACHED';
  const { measured } = result;
  console.log(
    [
      result.row.padEnd(44),
      result.who.padEnd(26),
      number(measured?.seconds, digitsOf(measured?.seconds)),
      number(measured && measured.peakBytes / 2 ** 20, 0),
      number(result.speedRatio, 2),
      number(result.memoryRatio, 2),
      ` ${result.note ?? ''}${verdict}${measured?.figures ? ` (${measured.figures.join('; ')})` : ''}`,
    ].join(' '),
  );
  if (result.difference) console.log(`  warning: not the same result as ours: ${result.difference}`);
}
