/** What InnerEye-Inference says on the wire besides errors (specs/protocols.md 1.2, 1.6, 1.8), and how a run is asked of a job. */
import { randomBytes } from 'node:crypto';
import type { NewJob } from '../../jobs/job.js';

export const INNEREYE = 'innereye';

/** Exact, with and without charset, as clients compare it. */
export const EMPTY_TYPE = 'text/html; charset=utf-8';
export const RUN_ID_TYPE = 'text/plain';
export const ZIP_TYPE = 'application/zip';
export const JSON_TYPE = 'application/json';

export const HEALTHY = '{"status":"Healthy"}\n';

/** The artefact's name of old; its only entry is `segmentation.dcm`. */
export const RESULT_NAME = 'segmentation.dcm.zip';
const STEM = 'segmentation';

const EXPERIMENT = 'api_inference';
const LONGEST_EXPERIMENT = 100;
const RANDOM_BYTES = 4;

/** `api_inference_1629291609_fb5dfdf9`; characters that no run id may have become underscores. */
export function newRunId(experiment: string | undefined, now: Date): string {
  const name = (experiment ?? '').replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, LONGEST_EXPERIMENT) || EXPERIMENT;
  return `${name}_${Math.floor(now.getTime() / 1000)}_${randomBytes(RANDOM_BYTES).toString('hex')}`;
}

export interface RunWish {
  /** The old product's rules where they differ from ours. */
  readonly compat: boolean;
  /** As the client named the model, where that is not its address. */
  readonly modelId?: string;
}

/** Of a job 'segment' whose result is the zip that this protocol's clients fetch. */
export function runParameters({ compat, modelId }: RunWish): NewJob['parameters'] {
  return {
    formats: ['rtstruct'],
    profile: 'innereye',
    ties: compat ? 'first' : 'refuse',
    expect: 'archive',
    uniqueNames: compat,
    stem: STEM,
    pack: { name: RESULT_NAME, entries: { [`${STEM}.rtstruct.dcm`]: `${STEM}.dcm` } },
    ...(modelId === undefined ? {} : { modelId }),
  };
}
