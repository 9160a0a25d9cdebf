/** The job 'predict': classes or values of a study by a model that segments nothing, as JSON and CSV; model-run.ts does the rest. */
import { z } from 'zod';
import type { JobHandler } from './job-handler.js';
import { type ModelRunParts, mayGoWellAgain, runModel, wishOf } from './model-run.js';

/** Of `parameters`. Other keys belong to the door that made the job. */
export const predictParameters = z.object({
  formats: z
    .array(z.enum(['json', 'csv']))
    .min(1)
    .max(2)
    .default(['json', 'csv']),
  series: z.string().max(128).optional(),
  ignoreDamaged: z.boolean().optional(),
  longestRun: z.boolean().optional(),
  ties: z.enum(['refuse', 'first']).optional(),
});

const STEPS = [
  { step: 'fetch', share: 0.1 },
  { step: 'read', share: 0.3 },
  { step: 'model', share: 0.55 },
  { step: 'write', share: 0.05 },
] as const;

type Step = (typeof STEPS)[number]['step'];

export function predictHandler(parts: ModelRunParts): JobHandler {
  return Object.freeze<JobHandler>({
    kind: 'predict',
    steps: STEPS,
    retryable: mayGoWellAgain,
    async run(job, context) {
      const wish = wishOf(job, predictParameters);
      const { report, files } = await runModel(parts, job, context, { kind: 'predict', wish }, stepOf);
      return { report, files };
    },
  });
}

/** What the engine and its readers call their steps, as one of ours. */
function stepOf(name: string): Step {
  if (name === 'done') return 'write';
  return name === 'network' || name === 'transforms' ? 'model' : 'read';
}
