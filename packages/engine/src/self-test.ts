/** The way of a real study on this machine: a synthetic patient in a zip, segmented, written, proven, cleaned up. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeZip } from '@isocenter/formats';
import type { Watch } from '@isocenter/volume';
import { loadBundle } from './bundle/load-bundle.js';
import { makePhantom } from './phantom/make-phantom.js';
import { segmentStudy } from './segment.js';

export interface SelfTestResult {
  /** Every export read back exactly, and the lungs were found. */
  readonly exact: boolean;
  readonly seconds: number;
}

/** Throws what any stage throws. Leaves nothing behind. */
export async function selfTest(watch: Watch = {}): Promise<SelfTestResult> {
  const started = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'isocenter-self-test-'));
  try {
    const { files } = await makePhantom({ kind: 'thorax', size: [128, 128, 24], spacing: [3.6, 3.6, 12] }, watch);
    const bundle = await loadBundle('ct-basic');
    const report = await segmentStudy(
      await writeZip(files),
      bundle,
      { formats: ['rtstruct', 'seg'], outFolder: join(folder, 'out') },
      watch,
    );
    const lungs = report.structures.filter(({ name, voxels }) => /lung/i.test(name) && voxels > 0);
    return { exact: report.exact && lungs.length === 2, seconds: (performance.now() - started) / 1000 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
