/** Test help: models, studies and tasks for pools, in a folder that goes away. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePhantom, shippedModels } from '@isocenter/engine';
import { writeNifti, writeZip } from '@isocenter/formats';
import type { Size3, Volume } from '@isocenter/volume';
import { assembleBundle, boxOf, niftiVolume, temporaryFolder } from '../../../engine/src/runtime/test-bundles.suite.js';
import type { ModelRef, SegmentTask } from './compute-pool.js';

export interface Workshop {
  readonly path: string;
  /** For the pool. */
  readonly workFolder: string;
  /** A zip of a synthetic thorax CT. */
  thorax(size: Size3): Promise<string>;
  /** A bundle that ships with the program. */
  shipped(name: string): ModelRef;
  /** A task with a fixed run and time, so that its result is the same bytes each time. */
  task(model: ModelRef, inputPath: string, formats?: readonly string[]): SegmentTask;
  remove(): void;
}

export function workshop(): Workshop {
  const folder = temporaryFolder();
  let places = 0;
  return {
    path: folder.path,
    workFolder: join(folder.path, 'work'),
    remove: folder.remove,
    async thorax(size) {
      const path = join(folder.path, `study-${size.join('x')}.zip`);
      const spacing = size.map((n, axis) => (axis === 2 ? 300 : 460) / n) as unknown as Size3;
      writeFileSync(path, await writeZip((await makePhantom({ kind: 'thorax', size, spacing })).files));
      return path;
    },
    shipped: (name) => modelAt(join(shippedModels, name), name),
    task(model, inputPath, formats = ['rtstruct']) {
      const outputFolder = join(folder.path, `out-${++places}`);
      mkdirSync(outputFolder);
      const fixed = { runUID: '2.25.4711', now: '2026-05-06T07:08:09.000Z' };
      return { kind: 'segment', model, inputPath, outputFolder, wish: { formats }, ...fixed };
    },
  };
}

function modelAt(folder: string, name: string): ModelRef {
  return { address: `${name}:test`, folder, sha256: createHash('sha256').update(folder).digest('hex') };
}

/** A real network on a real head (`data`: shared/data/models-meshnet): two sizes of model and of image. */
export function networks({ path }: Workshop, data: string) {
  const model = (name: string) =>
    modelAt(assembleBundle(path, `meshnet/${name}`, join(data, `onnx/${name}.onnx`)), name);
  const image = async (name: string, cut: (head: Volume) => Volume): Promise<string> => {
    const file = join(path, name);
    writeFileSync(file, await writeNifti(cut(await niftiVolume(join(data, 't1_crop.nii.gz')))));
    return file;
  };
  return {
    small: () => model('model5_gw_ae'),
    /** Many seconds and more than a gigabyte on the head. */
    large: () => model('model30chan18cls'),
    patch: () => image('patch.nii', (head) => boxOf(head, [80, 90, 90], [60, 50, 40])),
    head: () => image('head.nii', (head) => head),
  };
}

export function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

export async function failureOf(work: Promise<unknown>): Promise<Error & { readonly kind?: string }> {
  return work.then(
    () => new Error('it did not fail'),
    (error: Error) => error,
  );
}

/** SHA-256 of each file by name. */
export function hashesOf(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex'),
      ]),
  );
}

/** Names of everything below a folder that may not exist. */
export function left(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true }) as string[];
  } catch {
    return [];
  }
}
