/** One task in the child: the wish of the port in the engine's words, and a report without any path of this machine. */
import { basename } from 'node:path';
import { type Bundle, forgetPeak, type NetworkCache, processMemory, segmentStudy } from '@isocenter/engine';
import { INSET, type ReportProgress } from '@isocenter/volume';
import type { SegmentWish } from '../compute-pool.js';
import type { ChildReply, ParentMessage } from './messages.js';

/** A series named by its number in the scan; everything else is a UID. */
const SERIES_NUMBER = /^\d{1,6}$/;

/** Throws what segmentStudy throws. */
export async function runTask(
  task: ParentMessage & { kind: 'segment' },
  bundle: Bundle,
  resources: { readonly networks: NetworkCache; readonly threads: number },
  progress: ReportProgress,
): Promise<ChildReply> {
  forgetPeak();
  // Whatever unpacks to a temporary file (tar.gz) finds the task's own folder.
  process.env.TMPDIR = task.temporaryFolder;
  const { memoryLimitBytes, wish } = task;
  const report = await segmentStudy(
    task.inputPath,
    bundle,
    {
      ...wish,
      wish: channelWish(wish),
      inset: wish.inset ? INSET : 0,
      outFolder: task.outputFolder,
      now: new Date(task.now),
      runUID: task.runUID,
      process: 'this',
      run: { ...resources, ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }) },
    },
    { progress },
  );
  const peakMemoryBytes = processMemory('self')?.peakBytes ?? report.peakMemoryBytes;
  const files = report.files.map((path) => basename(path));
  return { kind: 'answer', report: { ...report, files, peakMemoryBytes }, files, peakMemoryBytes };
}

function channelWish({ series, ties, ignoreDamaged, longestRun }: SegmentWish) {
  return {
    ...(series === undefined ? {} : { series: SERIES_NUMBER.test(series) ? Number(series) : series }),
    ties: ties === 'first' ? 'first' : 'error',
    damaged: ignoreDamaged ? 'ignore' : 'error',
    irregular: longestRun ? 'longest-run' : 'refuse',
  } as const;
}
