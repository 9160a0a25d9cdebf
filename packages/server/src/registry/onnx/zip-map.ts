/**
 * Takes ZipMap off a classifier of scikit-learn: it turns the matrix of scores into a list of dictionaries, which no
 * tensor runtime can hand over. The scores themselves become the output; nothing else of the file changes.
 */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { RegistryError } from '../registry-error.js';
import type { OnnxSummary } from './read-onnx.js';
import { bytesField, numberField } from './wire-writer.js';

/** Classical models have megabytes; this is done in memory. */
const MAXIMUM_BYTES = 512 * 1024 * 1024;
const GRAPH = 7;
const GRAPH_OUTPUT = 12;
const FLOAT = 1;

/** Writes the changed model to `target`. Throws RegistryError `too-large`, `unsupported-model`. */
export async function takeOffZipMaps(source: string, summary: OnnxSummary, target: string): Promise<void> {
  if ((await stat(source)).size > MAXIMUM_BYTES)
    throw new RegistryError('too-large', 'The model is too large to take ZipMap off', {
      next: 'Export it without: convert_sklearn(…, options={"zipmap": False})',
    });
  const bytes = await readFile(source);
  const cuts: { from: number; to: number; instead: Buffer }[] = [];
  for (const { from, to, input, output } of summary.zipMaps) {
    const part = summary.outputParts.find(({ name }) => name === output);
    if (!part)
      throw new RegistryError('unsupported-model', 'A ZipMap of the model is not at its end', {
        where: output.slice(0, 64),
        next: 'Export it without: convert_sklearn(…, options={"zipmap": False})',
      });
    cuts.push({ from, to, instead: Buffer.alloc(0) });
    cuts.push({ from: part.from, to: part.to, instead: bytesField(GRAPH_OUTPUT, floatMatrix(input)) });
  }
  cuts.sort((a, b) => a.from - b.from);
  const { graph } = summary;
  const pieces: Buffer[] = [];
  let at = graph.at;
  for (const { from, to, instead } of cuts) {
    pieces.push(bytes.subarray(at, from), instead);
    at = to;
  }
  pieces.push(bytes.subarray(at, graph.end));
  await writeFile(
    target,
    Buffer.concat([bytes.subarray(0, graph.tagAt), bytesField(GRAPH, ...pieces), bytes.subarray(graph.end)]),
    { mode: 0o600, flag: 'wx' },
  );
}

/** ValueInfoProto of a float matrix whose sizes are not said. */
function floatMatrix(name: string): Buffer {
  const dim = (text: string) => bytesField(1, bytesField(2, text));
  const tensor = bytesField(1, numberField(1, FLOAT), bytesField(2, dim('rows'), dim('classes')));
  return Buffer.concat([bytesField(1, name), bytesField(2, tensor)]);
}
