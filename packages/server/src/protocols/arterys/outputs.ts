/** What a model's route can answer with, and which of it a request asks for (`inference_command`). */
import { inferenceOutputs } from '../../configuration/inference-routes.js';

export type Output = (typeof inferenceOutputs)[number];

/** The first two are upstream's own; the others follow their form. */
const COMMANDS: Readonly<Record<string, Output>> = {
  'get-probability-mask': 'probability-mask',
  'get-bounding-box-2d': 'bounding-box-2d',
  ...Object.fromEntries(inferenceOutputs.map((output) => [`get-${output}`, output])),
};

/** Formats of the engine that an output needs beside its masks. */
export const FORMATS: Readonly<Record<Output, readonly string[]>> = {
  'probability-mask': ['masks'],
  'boolean-mask': ['masks'],
  'label-mask': ['masks'],
  'bounding-box-2d': ['masks'],
  findings: ['masks'],
  'secondary-capture': ['sc'],
  'structured-report': ['sr'],
  segmentation: ['seg'],
};

export const DEFAULT_ROUTES = { '/': 'ct-basic' } as const;

export function outputOf(command: unknown, otherwise: Output): Output {
  return typeof command === 'string' && Object.hasOwn(COMMANDS, command) ? COMMANDS[command]! : otherwise;
}
