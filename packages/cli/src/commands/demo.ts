/** `npm run demo`: a synthetic thorax CT (or the user's own) through `ct-basic`, with everything that a run writes. */
import { loadBundle, makePhantom, segmentStudy } from '@isocenter/engine';
import { writeZip } from '@isocenter/formats';
import { exitCodes } from '../exit-codes.js';
import { segmentText } from '../output/segment-text.js';
import type { CommandContext } from '../program.js';

export interface DemoOptions {
  readonly study?: string;
  readonly out: string;
  readonly json?: boolean;
}

const FORMATS = ['rtstruct', 'seg', 'png', 'csv'];

export async function demoCommand(
  { study, out }: DemoOptions,
  { terminal, watch, endProgress }: CommandContext,
): Promise<number> {
  const bundle = await loadBundle('ct-basic');
  let input: string | Uint8Array | undefined = study;
  if (input === undefined) {
    const { files } = await makePhantom({ kind: 'thorax', size: [512, 512, 80], spacing: [0.9, 0.9, 4.5] }, watch);
    input = await writeZip(files);
    endProgress();
    terminal.print(
      `Made a synthetic thorax CT of ${files.length} slices, zipped: ${(input.length / 2 ** 20).toFixed(1)} MB\n`,
    );
  }
  const report = await segmentStudy(input, bundle, { formats: FORMATS, outFolder: out }, watch);
  endProgress();
  terminal.print(segmentText(report));
  if (study === undefined) terminal.print('\nYour own CT: npm run demo -- PATH/TO/STUDY.zip --out FOLDER');
  terminal.document(report);
  return report.exact ? exitCodes.ok : exitCodes.proof;
}
