/** `isocenter weights FILE`: which tensors are in it, which part is a network's weights, and what was refused. */
import { listWeights, type WeightsReport } from '@isocenter/engine';
import { exitCodes } from '../exit-codes.js';
import { printableLine } from '../output/printable.js';
import { table } from '../output/table.js';
import type { CommandContext } from '../program.js';

export interface WeightsOptions {
  readonly input: string;
  readonly key?: string;
  readonly json?: boolean;
}

export async function weightsCommand(
  { input, key }: WeightsOptions,
  { terminal, endProgress }: CommandContext,
): Promise<number> {
  const report = await listWeights(input, key);
  endProgress();
  terminal.print(weightsText(report));
  terminal.document(report);
  return exitCodes.ok;
}

function weightsText({ format, tensors, stateDict, problem, refused }: WeightsReport): string {
  const rows = tensors.map(({ name, dtype, shape, bytes, sharedWith }) => [
    name,
    dtype,
    shape.join(' × ') || 'scalar',
    bytes,
    sharedWith ?? '',
  ]);
  const lines = [table(['tensor', 'type', 'shape', 'bytes', 'same as'], rows), ''];
  if (stateDict) {
    const { key, tensors: count, parameters } = stateDict;
    const place = key === '' ? 'the whole file' : key;
    lines.push(`${format}; a network would take ${place}: ${count} tensors, ${parameters} different numbers`);
  }
  if (problem) lines.push(`${format}; ${problem.message}${problem.next ? `. ${problem.next}` : ''} (--key NAME)`);
  if (refused.length > 0)
    lines.push('', 'Refused, and left out (nothing was run):', ...refused.map((one) => `  ${one.refused}`));
  return lines.map((line) => (line.includes('\n') ? line : printableLine(line))).join('\n');
}
