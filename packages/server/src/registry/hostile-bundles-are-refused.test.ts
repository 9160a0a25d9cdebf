/** Bundles that climb out of their folder, or reach for files that are not theirs: refused, and nothing stands anywhere. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { loadOnnx } from '@isocenter/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalZip } from './canonical-zip.js';
import { node, onnxModel, tensorPort, weights } from './onnx/onnx-files.suite.js';
import { failureOf, SCIENTIST, scratch, type TestRegistry, testRegistry, writeBundle } from './test-registry.suite.js';

const root = scratch();
let test: TestRegistry;
let count = 0;
const fresh = () => join(root.path, `b${count++}`);

beforeAll(async () => {
  test = await testRegistry();
});
afterAll(async () => {
  await test.close();
  root.remove();
});

describe('a hostile bundle', () => {
  const metadata = JSON.stringify({ version: '1', isocenter: { name: 'hostile', channels: [{ name: 'x' }] } });
  const archive = async (entries: Record<string, string>) => {
    const parts = Object.entries(entries).map(([name, text]) => {
      const from = Buffer.from(text);
      return { name, from, bytes: from.length, crc32: crc32(from) };
    });
    const path = join(root.path, `hostile${count++}.zip`);
    writeFileSync(path, await buffer(canonicalZip(parts)));
    return path;
  };
  const good = { 'configs/metadata.json': metadata, 'configs/inference.json': '{}' };

  it.each<[string, Record<string, string>, string]>([
    ['with a name that climbs', { ...good, 'models/../../../evil': 'x' }, 'unsafe-name'],
    ['with an absolute name', { ...good, '/etc/evil': 'x' }, 'unsafe-name'],
    ['with names that differ by case', { ...good, 'configs/Inference.json': '{}' }, 'not-a-model'],
    [
      'with weights that lie outside of it',
      {
        ...good,
        'configs/metadata.json': metadata.replace(
          '"x"}]',
          '"x"}],"weights":[{"path":"../../x","sha256":"'.concat('0'.repeat(64), '"}]'),
        ),
      },
      'outside-bundle',
    ],
  ])('%s is refused, and nothing stands anywhere', async (_title, entries, kind) => {
    const error = await failureOf(test.registry.add(await archive(entries), {}, SCIENTIST));
    expect(error.kind).toBe(kind);
    expect(readdirSync(test.cacheFolder).filter((name) => name.startsWith('.'))).toEqual([]);
    expect(existsSync(join(test.cacheFolder, '../evil'))).toBe(false);
  });

  it('whose network wants weights from elsewhere is refused; beside it they come along', async () => {
    const network = (place: string) =>
      onnxModel({
        nodes: [node({ operator: 'Mul', inputs: ['x', 'w'], outputs: ['y'] })],
        inputs: [tensorPort('x', [1, 1, 'i', 'j', 'k'])],
        outputs: [tensorPort('y', [1, 1, 'i', 'j', 'k'])],
        weights: [weights('w', [1], Float32Array.of(2), place)],
      });
    for (const place of ['../../../../etc/passwd', '/etc/passwd', 'nowhere.data']) {
      const parts = { name: 'reaching', files: { 'models/model.onnx': network(place) } };
      expect((await failureOf(test.registry.add(writeBundle(fresh(), parts), {}, SCIENTIST))).kind).toBe('not-a-model');
    }
    const values = Buffer.from(Float32Array.of(2).buffer);
    const files = { 'models/model.onnx': network('model.onnx.data'), 'models/model.onnx.data': values };
    const version = await test.registry.add(writeBundle(fresh(), { name: 'beside', files }), {}, SCIENTIST);
    const { folder } = await test.registry.materialise(version.id);
    const runtime = await loadOnnx(join(folder, 'models/model.onnx'), { threads: 1 });
    const answer = await runtime.run({ x: { data: Float32Array.of(21), dims: [1, 1, 1, 1, 1] } });
    await runtime.close();
    expect([...answer.y.data]).toEqual([42]);
  });
});
