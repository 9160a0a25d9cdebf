/** Files that are cut, forged, nested or reach for other files: each refused by name, without memory and without being run. */
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { failureOf } from '../test-registry.suite.js';
import { attribute, linearClassifier, node, onnxModel, signNetwork, tensorPort, weights } from './onnx-files.suite.js';
import { readOnnx } from './read-onnx.js';
import { bytesField, numberField, varint } from './wire-writer.js';

const folder = mkdtempSync(join(tmpdir(), 'isocenter-onnx-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

function file(bytes: Uint8Array): string {
  const path = join(folder, `m${count++}.onnx`);
  writeFileSync(path, bytes);
  return path;
}

const good = signNetwork(['i', 'j', 'k']);

describe('a good file', () => {
  it('tells its ports, operators and labels, and leaves its weights where they are', async () => {
    expect(await readOnnx(file(good))).toMatchObject({
      producer: 'a test',
      operatorSets: { '': 17 },
      operators: ['Concat', 'Neg'],
      inputs: [{ name: 'x', kind: 'tensor', elementType: 'float32', dims: ['batch', 1, 'i', 'j', 'k'] }],
      outputs: [{ name: 'y', dims: ['batch', 2, 'i', 'j', 'k'] }],
      externalFiles: [],
    });
    const classifier = await readOnnx(file(linearClassifier(true)));
    expect(classifier.operators).toEqual(['ai.onnx.ml.LinearClassifier', 'ai.onnx.ml.ZipMap']);
    expect(classifier.classLabels).toEqual(['benign', 'malignant']);
    expect(classifier.outputs.map(({ name, kind }) => [name, kind])).toEqual([
      ['label', 'tensor'],
      ['probability', 'other'],
    ]);
  });

  it('of a gigabyte is read in a few kilobytes', async () => {
    // A tensor of 1 GB that is a hole on the disk.
    const path = join(folder, 'large.onnx');
    const size = 2 ** 30;
    const tensor = Buffer.concat([
      numberField(1, size / 4),
      numberField(2, 1),
      bytesField(8, 'w'),
      varint(9 * 8 + 2),
      varint(size),
    ]);
    const initializer = Buffer.concat([varint(5 * 8 + 2), varint(tensor.length + size), tensor]);
    const after = Buffer.concat([bytesField(11, tensorPort('x', [1, 3])), bytesField(11, tensorPort('w', [size / 4]))]);
    const length = initializer.length + size + after.length;
    const before = Buffer.concat([bytesField(8, numberField(2, 17)), varint(7 * 8 + 2), varint(length), initializer]);
    const handle = openSync(path, 'w');
    writeSync(handle, before);
    ftruncateSync(handle, before.length + size);
    writeSync(handle, after, 0, after.length, before.length + size);
    closeSync(handle);
    const memory = process.memoryUsage().rss;
    expect((await readOnnx(path)).inputs.map(({ name }) => name)).toEqual(['x']);
    expect(process.memoryUsage().rss - memory).toBeLessThan(50 * 2 ** 20);
  });
});

describe('a bad file', () => {
  it('cut anywhere is refused, or says nothing that is not in it', async () => {
    for (let length = 0; length < good.length; length++) {
      const outcome = await readOnnx(file(good.subarray(0, length))).then(
        (summary) => summary.inputs.length + summary.outputs.length,
        (error) => error.kind,
      );
      // The last field is the operator set; without it there is no model.
      expect(outcome, `cut at ${length}`).toBe('not-a-model');
    }
  });

  it.each<[string, () => Uint8Array]>([
    ['empty', () => Buffer.alloc(0)],
    ['text', () => Buffer.from('import torch; torch.save(model)')],
    ['zeros', () => Buffer.alloc(4096)],
    ['a graph that claims 4 GB', () => Buffer.concat([varint(7 * 8 + 2), varint(2 ** 32), Buffer.from('x')])],
    [
      'a graph that claims 2^63 bytes',
      () => Buffer.concat([varint(7 * 8 + 2), Buffer.alloc(9, 0xff), Buffer.from([0x7f])]),
    ],
    [
      'a name of a megabyte',
      () =>
        onnxModel({
          nodes: [node({ operator: 'N'.repeat(2 ** 20), inputs: ['x'], outputs: ['y'] })],
          inputs: [],
          outputs: [],
        }),
    ],
    ['a number without end', () => Buffer.concat([Buffer.from([8]), Buffer.alloc(64, 0xff)])],
    ['groups', () => Buffer.concat([Buffer.from([0x0b]), good])],
    ['two graphs', () => Buffer.concat([good, good])],
    ['a graph that is a number', () => Buffer.concat([numberField(7, 3), good])],
    ['graphs nested in graphs', () => nested(40)],
  ])('%s is refused', async (_title, bytes) => {
    expect((await failureOf(readOnnx(file(bytes())))).kind).toBe('not-a-model');
  });

  it('with bits flipped anywhere is read or refused, never anything else', async () => {
    let seed = 7;
    for (let round = 0; round < 400; round++) {
      const bytes = Buffer.from(linearClassifier(true));
      for (let flips = 0; flips < 3; flips++) {
        seed = (seed * 1103515245 + 12345) % 2 ** 31;
        bytes[seed % bytes.length] ^= 1 << ((seed >> 8) % 8);
      }
      const outcome = await readOnnx(file(bytes)).then(
        () => 'read',
        (error) => error.kind,
      );
      expect(['read', 'not-a-model']).toContain(outcome);
    }
  });

  it.each([
    [
      'a tensor of the graph',
      (place: string) => ({ weights: [weights('w', [1], new Float32Array(1), place)], nodes: [] as Buffer[] }),
    ],
    ['a constant of a node', (place: string) => ({ nodes: [constant(weights('', [1], new Float32Array(1), place))] })],
    [
      'a constant inside the branch of a condition',
      (place: string) => ({ nodes: [branch(constant(weights('', [1], new Float32Array(1), place)))] }),
    ],
  ])('that wants another file in %s says so', async (_title, parts) => {
    for (const place of ['../../etc/passwd', '/etc/passwd', 'model.onnx.data']) {
      const model = onnxModel({ inputs: [tensorPort('x', [1])], outputs: [tensorPort('y', [1])], ...parts(place) });
      expect((await readOnnx(file(model))).externalFiles).toEqual([place]);
    }
  });
});

function constant(tensor: Buffer): Buffer {
  const value = Buffer.concat([bytesField(1, 'value'), bytesField(5, tensor), numberField(20, 4)]);
  return node({ operator: 'Constant', inputs: [], outputs: ['y'], attributes: [value] });
}

function branch(inner: Buffer): Buffer {
  const graph = Buffer.concat([bytesField(1, 'then_branch'), bytesField(6, bytesField(1, inner)), numberField(20, 5)]);
  return node({ operator: 'If', inputs: ['c'], outputs: ['y'], attributes: [graph] });
}

function nested(depth: number): Buffer {
  let inner = node({ operator: 'Identity', inputs: ['x'], outputs: ['y'], attributes: [attribute('a', 1)] });
  for (let level = 0; level < depth; level++) inner = branch(inner);
  return onnxModel({ nodes: [inner], inputs: [tensorPort('x', [1])], outputs: [tensorPort('y', [1])] });
}
