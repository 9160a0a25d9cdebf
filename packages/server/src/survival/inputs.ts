/** What the jobs of a run are made of: good studies of three sizes, and bad ones of which each has its own right answer. */
import { makePhantom, type PhantomOptions } from '@isocenter/engine';
import { writeZip } from '@isocenter/formats';
import type { Dice } from './dice.js';

export interface JobInput {
  /** Of the bytes; equal names are equal bytes. */
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface WantedJob {
  readonly input: JobInput;
  readonly model: string;
  /** Undefined: the model's default, which is RTSTRUCT, SEG, PNG and CSV. */
  readonly formats: readonly ('rtstruct' | 'seg' | 'nifti' | 'csv')[] | undefined;
  /** Undefined: it is to succeed; else the kind of its failure. */
  readonly failure: string | undefined;
  readonly maxAttempts: number;
}

/** So many kills of one job's processes are not to be expected. */
const PATIENT_ATTEMPTS = 10;
/** Share of good jobs that may be tried only once, so that a kill ends them with a stated failure. */
const IMPATIENT = 0.1;
const BAD = 0.25;

const models = ['ct-basic', 'ct-basic', 'PassThroughModel', 'Phantom'] as const;
const outputs = [undefined, ['rtstruct'], ['seg', 'csv'], ['nifti']] as const;

export interface Inputs {
  readonly good: readonly JobInput[];
  readonly bad: readonly { readonly input: JobInput; readonly failure: string }[];
}

export async function makeInputs(): Promise<Inputs> {
  const tiny = await study('tiny CT', { size: [64, 64, 8], spacing: [6, 6, 30] });
  const small = await study('small CT', { size: [64, 64, 24], spacing: [6, 6, 12], seed: '2' });
  const larger = await study('larger CT', { size: [128, 128, 40], spacing: [3.6, 3.6, 7], seed: '3' });
  const head = await study('head MR', { kind: 'head', size: [64, 64, 12], spacing: [4, 4, 16] });
  const half = small.bytes.slice(0, small.bytes.length >> 1);
  const letter = await packed([
    { name: 'letter.txt', bytes: Buffer.from('Dear colleague, the images follow by post.') },
  ]);
  return {
    good: [tiny, small, larger],
    bad: [
      { input: head, failure: 'wrong-modality' },
      { input: { name: 'half a zip', bytes: half }, failure: 'truncated' },
      { input: { name: 'zip of a letter', bytes: letter }, failure: 'no-images' },
      { input: { name: 'text', bytes: new Uint8Array(700).fill(0x61) }, failure: 'no-images' },
    ],
  };
}

export function wantedJobs(inputs: Inputs, count: number, dice: Dice): readonly WantedJob[] {
  return Array.from({ length: count }, () => {
    if (dice.next() < BAD) {
      const { input, failure } = dice.pick(inputs.bad);
      // The test models take any modality, so only ct-basic refuses.
      return { input, model: 'ct-basic', formats: undefined, failure, maxAttempts: PATIENT_ATTEMPTS };
    }
    return {
      input: dice.pick(inputs.good),
      model: dice.pick(models),
      formats: dice.pick(outputs),
      failure: undefined,
      maxAttempts: dice.next() < IMPATIENT ? 1 : PATIENT_ATTEMPTS,
    };
  });
}

async function study(name: string, options: PhantomOptions): Promise<JobInput> {
  const { files } = await makePhantom(options);
  return { name, bytes: await packed(files) };
}

async function packed(files: Parameters<typeof writeZip>[0]): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await writeZip(files, { level: 1 }));
}
