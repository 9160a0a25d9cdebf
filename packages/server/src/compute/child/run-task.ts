/** One task in the child: the wish of the port in the engine's words, and a report without any path of this machine. */
import { basename } from 'node:path';
import {
  type Bundle,
  forgetPeak,
  type NetworkCache,
  type PredictReport,
  predictStudy,
  processMemory,
  type SegmentReport,
  segmentStudy,
} from '@isocenter/engine';
import { INSET, type ReportProgress } from '@isocenter/volume';
import type { PredictWish } from '../compute-pool.js';
import type { ChildReply, TaskMessage } from './messages.js';

/** A series named by its number in the scan; everything else is a UID. */
const SERIES_NUMBER = /^\d{1,6}$/;

interface Resources {
  readonly networks: NetworkCache;
  readonly threads: number;
}

/** Throws what segmentStudy and predictStudy throw. */
export async function runTask(
  task: TaskMessage,
  bundle: Bundle,
  resources: Resources,
  progress: ReportProgress,
): Promise<ChildReply> {
  forgetPeak();
  // Whatever unpacks to a temporary file (tar.gz) finds the task's own folder.
  process.env.TMPDIR = task.temporaryFolder;
  const report = await reportOf(task, bundle, resources, progress);
  const peakMemoryBytes = processMemory('self')?.peakBytes ?? report.peakMemoryBytes;
  const files = report.files.map((path) => basename(path));
  return { kind: 'answer', report: { ...report, files, peakMemoryBytes }, files, peakMemoryBytes };
}

function reportOf(
  task: TaskMessage,
  bundle: Bundle,
  resources: Resources,
  progress: ReportProgress,
): Promise<SegmentReport | PredictReport> {
  const { inputPath, outputFolder, memoryLimitBytes } = task;
  const common = {
    wish: channelWish(task.wish),
    outFolder: outputFolder,
    now: new Date(task.now),
    runUID: task.runUID,
    process: 'this',
    // The results are made durable by who stores them; what a crash leaves here is swept.
    durable: false,
    run: { ...resources, ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }) },
  } as const;
  if (task.kind === 'predict')
    return predictStudy(inputPath, bundle, { formats: task.wish.formats, ...common }, { progress });
  const { wish } = task;
  return segmentStudy(inputPath, bundle, { ...wish, ...common, inset: wish.inset ? INSET : 0 }, { progress });
}

function channelWish({ series, ties, ignoreDamaged, longestRun }: Omit<PredictWish, 'formats'>) {
  return {
    ...(series === undefined ? {} : { series: SERIES_NUMBER.test(series) ? Number(series) : series }),
    ties: ties === 'first' ? 'first' : 'error',
    damaged: ignoreDamaged ? 'ignore' : 'error',
    irregular: longestRun ? 'longest-run' : 'refuse',
  } as const;
}
