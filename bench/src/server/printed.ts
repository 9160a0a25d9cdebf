/** What the measuring scripts of servers print, and how figures are written in it. */
import type { Measured } from '../row.js';

export function print(measured: Measured): void {
  console.log(JSON.stringify(measured));
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export const milliseconds = (ms: number): string => `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;

export const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MB`;
