/** The child's part of the self-test: draws the synthetic patient, and later compares an answer with what was drawn. */
import { writeFile } from 'node:fs/promises';
import { drawPhantom, makePhantom, type PhantomOptions } from '@isocenter/engine';
import { writeZip } from '@isocenter/formats';
import { dice, maskOf, overlapOf } from '@isocenter/volume';
import type { ComparePhantomChore, PhantomChore } from './chore.js';
import { readSegmentation } from './read-segmentation.js';

/** A thorax small enough for a second of work, with lungs, bone and body that the built-in model finds. */
const PATIENT: PhantomOptions = { kind: 'thorax', size: [128, 128, 24], spacing: [3.6, 3.6, 12] };

export async function writePhantom({ outputPath }: PhantomChore): Promise<{ bytes: number }> {
  const { files } = await makePhantom(PATIENT);
  const zip = await writeZip(files, { level: 1 });
  await writeFile(outputPath, zip, { mode: 0o600 });
  return { bytes: zip.length };
}

export async function comparePhantom(chore: ComparePhantomChore): Promise<{ dice: Record<string, number> }> {
  const found = await readSegmentation(chore);
  const { segmentation: truth } = drawPhantom(PATIENT);
  const scores: Record<string, number> = {};
  for (const structure of found.structures) {
    const drawn = truth.structures.find(({ name }) => name === structure.name);
    if (drawn) scores[structure.name] = dice(overlapOf(maskOf(found, structure).data, maskOf(truth, drawn).data));
  }
  return { dice: scores };
}
