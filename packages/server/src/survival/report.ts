/** A run as text: kills with their recoveries, jobs by outcome, and what was broken. */
import { type Kill, killKinds } from './kills.js';
import type { SurvivalReport } from './survive.js';

const RECOVERY: Readonly<Record<(typeof killKinds)[number], string>> = {
  server: 'ready again',
  worker: 'job started again',
  'compute child': 'job started again',
  postmaster: 'answers again',
  backend: 'answers again',
};

export function reportText(report: SurvivalReport): string {
  const { seed, seconds, acknowledged, kills, outcomes, attempts, violations, abandonedBlobs, auditEntries } = report;
  const repeated = acknowledged.filter(({ tries }) => tries > 1).length;
  const most = Math.max(0, ...attempts);
  const lines = [
    `seed ${seed}: ${acknowledged.length} jobs acknowledged (${repeated} after repeated requests), ${kills.length} kills, ${seconds} s`,
    '',
    table(
      ['killed', 'times', 'with a job', 'until', 'median s', 'longest s', 'not in 180 s'],
      killKinds.map((kind) => killRow(kind, kills)),
    ),
    '',
    table(
      ['jobs', 'ending', 'number'],
      Object.entries(outcomes)
        .sort()
        .flatMap(([jobs, endings]) => Object.entries(endings).map(([ending, n]) => [jobs, ending, String(n)])),
    ),
    '',
    `attempts: ${attempts.filter((n) => n > 1).length} jobs needed more than one, at most ${most}`,
    `bytes that nobody kept and the sweeper erased: ${abandonedBlobs}; audit log: ${auditEntries} entries, verified`,
    '',
    violations.length === 0 ? 'No violation.' : `${violations.length} VIOLATIONS`,
    ...violations.map(({ promise, job, found }) => `  ${promise}: ${job ? `job ${job}: ` : ''}${found}`),
    ...(report.folder ? [`Logs and data: ${report.folder}`] : []),
  ];
  return lines.join('\n');
}

function killRow(kind: (typeof killKinds)[number], kills: readonly Kill[]): string[] {
  const of = kills.filter((kill) => kill.kind === kind);
  const times = of.flatMap(({ recoveredMs }) => recoveredMs ?? []).sort((a, b) => a - b);
  const shown = (ms: number | undefined) => (ms === undefined ? '-' : (ms / 1000).toFixed(1));
  return [
    kind,
    String(of.length),
    String(of.filter(({ jobs }) => jobs.length > 0).length),
    RECOVERY[kind],
    shown(times[times.length >> 1]),
    shown(times.at(-1)),
    String(of.filter(({ late }) => late).length),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((text, n) => Math.max(text.length, ...rows.map((row) => row[n]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, n) => cell.padEnd(widths[n] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
