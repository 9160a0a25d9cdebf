/** What answers on a path of the Arterys protocol: a model of the registry, or a module that the administrator names. */
import { z } from 'zod';

export const inferenceOutputs = [
  'probability-mask',
  'boolean-mask',
  'label-mask',
  'bounding-box-2d',
  'findings',
  'secondary-capture',
  'structured-report',
  'segmentation',
] as const;

const DEFAULT_SECONDS = 300;
const LONGEST_SECONDS = 86_400;

/** An address of a model, the file of a handler, or either with how to answer. */
const inferenceRoute = z.union([
  z.string().min(1),
  z.strictObject({
    /** `name:version`, or `name` for its newest version. */
    model: z.string().min(1).optional(),
    /** JavaScript module whose default export is the handler; from the data directory on, where it is no whole path. */
    handler: z.string().min(1).optional(),
    /** When the request asks for nothing that we know. */
    output: z.enum(inferenceOutputs).default('probability-mask'),
    /** Who made it, for the request auditor: the letters that a tag of S3 may have. */
    vendor: z
      .string()
      .regex(/^[\p{L}\p{N} +\-=._:/@]{1,256}$/u, 'letters, digits, blanks and + - = . _ : / @')
      .optional(),
    /** Of one answer. */
    seconds: z.number().positive().max(LONGEST_SECONDS).default(DEFAULT_SECONDS),
  }),
]);

export const inferenceRoutes = z.record(z.string().regex(/^\/[\w./-]*$/, 'a path such as /lungs'), inferenceRoute);

export type InferenceRoute = z.infer<typeof inferenceRoute>;

/** `.js`, `.mjs`, `.cjs` are handlers, anything else is a model. */
export function wholeRoute(route: InferenceRoute): Exclude<InferenceRoute, string> {
  if (typeof route !== 'string') return route;
  const place = /\.[cm]?js$/.test(route) ? { handler: route } : { model: route };
  return { ...place, output: 'probability-mask', seconds: DEFAULT_SECONDS };
}
