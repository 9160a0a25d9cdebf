/**
 * What a run will need at least, worked out before memory is taken. A network's own working memory is not known from
 * outside, so the sum is a lower bound; a bundle may state the measured figure (`isocenter.memoryBytes`).
 */
import { freemem } from 'node:os';
import { Failure } from '@isocenter/volume';

export type ForecastErrorKind = 'memory-forecast';

export class ForecastError extends Failure<ForecastErrorKind> {}

export interface ForecastItem {
  readonly what: string;
  readonly bytes: number;
}

/** Node and ONNX Runtime before any model is loaded, measured. */
export const PROCESS_BYTES = 90 * 1024 * 1024;

const MEGABYTE = 1024 * 1024;

export function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / MEGABYTE)} MB`;
}

export function sumOf(items: readonly ForecastItem[]): number {
  return items.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Throws ForecastError with the figures when the items pass the limit or what the machine has free. */
export function checkForecast(
  items: readonly ForecastItem[],
  limitBytes: number | undefined,
  freeBytes = freemem(),
): void {
  const needed = sumOf(items);
  const limit = Math.min(limitBytes ?? Infinity, freeBytes);
  if (needed <= limit) return;
  const list = items.map(({ what, bytes }) => `${what} ${megabytes(bytes)}`).join(', ');
  const bound =
    limitBytes !== undefined && limitBytes <= freeBytes
      ? `the limit is ${megabytes(limitBytes)}`
      : `the machine has ${megabytes(freeBytes)} free`;
  throw new ForecastError(
    'memory-forecast',
    `The run would need at least ${megabytes(needed)} (${list}), but ${bound}`,
    {
      next: 'Raise the memory limit, use a smaller window or coarser spacing, or crop the image',
    },
  );
}
