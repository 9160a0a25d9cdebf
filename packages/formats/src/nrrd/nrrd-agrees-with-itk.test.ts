/** NRRD in and out: SimpleITK is the oracle for size, place and voxels; hostile headers are refused by kind. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Affine, isFailure, makeVolume, type Volume, type VoxelArray } from '@isocenter/volume';
import { afterAll, describe, expect, it } from 'vitest';
import { describeWithData, describeWithPython } from '../../../../tools/test/needs.js';
import { FormatError } from '../format-error.js';
import { isNrrd } from './nrrd-header.js';
import { readNrrd } from './read-nrrd.js';
import { writeNrrd } from './write-nrrd.js';

const folder = mkdtempSync(join(tmpdir(), 'nrrd-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** For each path: size, LPS affine, channels, and the values (channel fastest) in a file beside `out`. */
const DUMP = `
import sys, json, numpy as np, SimpleITK as sitk
out = sys.argv[1]
for i, path in enumerate(sys.argv[2:]):
    image = sitk.ReadImage(path)
    n = image.GetDimension()
    a = np.eye(4); a[:n, :n] = np.array(image.GetDirection()).reshape(n, n) * np.array(image.GetSpacing()); a[:n, 3] = image.GetOrigin()
    sitk.GetArrayFromImage(image).astype('<f8').tofile(f'{out}/{i}.f8')
    print(json.dumps({'size': image.GetSize(), 'affine': a.flatten().tolist(), 'channels': image.GetNumberOfComponentsPerPixel()}))
`;

function itk(python: string, paths: string[]) {
  const lines = execFileSync(python, ['-c', DUMP, folder, ...paths], { encoding: 'utf8', maxBuffer: 1 << 26 });
  return lines
    .trim()
    .split('\n')
    .map((line, i) => {
      const bytes = readFileSync(join(folder, `${i}.f8`));
      const values = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
      return { ...(JSON.parse(line) as { size: number[]; affine: number[]; channels: number }), values };
    });
}

function expectClose(ours: Affine, theirs: readonly number[]): void {
  theirs.forEach((value, i) => {
    expect(Math.abs(ours[i] - value), `affine element ${i}`).toBeLessThan(1e-6);
  });
}

/** Voxels that differ from ITK's, whose channels are interleaved. */
function differing(channels: readonly Volume[], values: Float64Array): number {
  let wrong = 0;
  const n = channels.length;
  for (let c = 0; c < n; c++)
    for (let i = 0; i < channels[c].data.length; i++) if (channels[c].data[i] !== values[i * n + c]) wrong++;
  return wrong;
}

const affine: Affine = [0.6, -0.8, 0, 10, 0.8, 0.6, 0, -20.125, 0, 0, 2.5, 30, 0, 0, 0, 1];
const small = (offset = 0) =>
  makeVolume(
    Int16Array.from({ length: 24 }, (_, i) => i - 5 + offset),
    [4, 3, 2],
    affine,
  );

describeWithPython(['SimpleITK', 'numpy'], 'NRRD beside ITK', (python) => {
  describeWithData('dicom-stress', 'the NRRD files of dicom-stress', (path) => {
    it('have the size, place and voxels that ITK sees', async () => {
      const paths = readdirSync(path, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.nrrd'))
        .map((name) => join(path, name));
      expect(paths.length).toBeGreaterThan(5);
      const oracles = itk(python, paths);
      for (const [i, file] of paths.entries()) {
        const image = await readNrrd(readFileSync(file));
        expect([...image.size], file).toEqual(oracles[i].size);
        expectClose(image.affine, oracles[i].affine);
        expect(image.channels.length).toBe(oracles[i].channels);
        expect(differing(image.channels, oracles[i].values), file).toBe(0);
      }
    });
  });

  it('gives ITK what it was given, for each type, gzipped and raw', async () => {
    const types = [Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array];
    const paths: string[] = [];
    for (const [i, Type] of types.entries()) {
      const data: VoxelArray = new Type(24);
      for (let v = 0; v < 24; v++) data[v] = v * 5;
      paths.push(join(folder, `${Type.name}.nrrd`));
      writeFileSync(paths[i], await writeNrrd(makeVolume(data, [4, 3, 2], affine), { gzip: i % 2 === 0 }));
    }
    for (const oracle of itk(python, paths)) {
      expect(oracle.size).toEqual([4, 3, 2]);
      expectClose(affine, oracle.affine);
      expect([...oracle.values]).toEqual(Array.from({ length: 24 }, (_, v) => v * 5));
    }
  });

  it('reads what ITK writes: vectors, compressed and not', async () => {
    const make = `
import sys, numpy as np, SimpleITK as sitk
rng = np.random.default_rng(3)
for name, array, vector in (('u1', rng.integers(0, 255, (3, 4, 5)).astype('u1'), False), ('f4v', rng.normal(size=(3, 4, 5, 2)).astype('f4'), True), ('i8', rng.integers(-9, 9, (3, 4, 5)), False), ('flat', rng.integers(0, 99, (4, 5)).astype('i2'), False)):
    image = sitk.GetImageFromArray(array, isVector=vector)
    if image.GetDimension() == 3:
        image.SetOrigin((1.5, -2.5, 3)); image.SetSpacing((0.5, 0.75, 2)); image.SetDirection((0, 1, 0, -1, 0, 0, 0, 0, 1))
    for compress in (0, 1): sitk.WriteImage(image, f'{sys.argv[1]}/itk-{name}-{compress}.nrrd', bool(compress))
`;
    execFileSync(python, ['-c', make, folder]);
    const paths = readdirSync(folder)
      .filter((name) => name.startsWith('itk-'))
      .map((name) => join(folder, name));
    expect(paths).toHaveLength(8);
    for (const [i, oracle] of itk(python, paths).entries()) {
      const image = await readNrrd(readFileSync(paths[i]));
      expect([...image.size]).toEqual([...oracle.size, 1].slice(0, 3));
      expectClose(image.affine, oracle.affine);
      expect(image.channels.length).toBe(oracle.channels);
      expect(differing(image.channels, oracle.values), paths[i]).toBe(0);
    }
  });
});

/** A NRRD of 24 int16 in which one header line is replaced (or removed by an empty one). */
function crafted(changes: Record<string, string>, data = Buffer.alloc(48, 1)): Buffer {
  const fields: Record<string, string> = {
    type: 'short',
    dimension: '3',
    sizes: '4 3 2',
    space: 'left-posterior-superior',
    'space directions': '(1,0,0) (0,1,0) (0,0,1)',
    'space origin': '(1,2,3)',
    endian: 'little',
    encoding: 'raw',
    ...changes,
  };
  const lines = Object.entries(fields).flatMap(([name, value]) => (value === '' ? [] : [`${name}: ${value}`]));
  return Buffer.concat([Buffer.from(`NRRD0004\n# by hand\n${lines.join('\n')}\n\n`), data]);
}

describe('a NRRD file', () => {
  it('comes back as it was written, with several channels and its key/value pairs', async () => {
    const keyValues: [string, string][] = [['Segment0_Name', 'left lung: upper\nlobe \\ 1']];
    for (const gzip of [true, false]) {
      const bytes = await writeNrrd([small(), small(7)], { gzip, keyValues });
      expect(bytes.equals(await writeNrrd([small(), small(7)], { gzip, keyValues }))).toBe(true);
      const image = await readNrrd(bytes);
      expect(image.channels.map((channel) => channel.data)).toEqual([small().data, small(7).data]);
      expectClose(image.affine, affine);
      expect([...image.keyValues]).toEqual(keyValues);
      expect(image.notes).toEqual([]);
    }
  });

  it('is not written with a key that readers would take for something else', async () => {
    for (const key of ['', 'a: b', '#x'])
      await expect(writeNrrd(small(), { keyValues: [[key, '']] })).rejects.toMatchObject({ kind: 'invalid-value' });
  });

  it('in RAS lands at the same place as in LPS', async () => {
    const image = await readNrrd(
      crafted({
        space: 'right-anterior-superior',
        'space directions': '(-1,0,0) (0,-1,0) (0,0,1)',
        'space origin': '(-1,-2,3)',
      }),
    );
    expectClose(image.affine, (await readNrrd(crafted({}))).affine);
  });

  it('big-endian and little-endian are the same', async () => {
    const data = Buffer.alloc(48);
    for (let i = 0; i < 24; i++) data.writeInt16BE(i - 12, 2 * i);
    expect((await readNrrd(crafted({ endian: 'big' }, data))).channels[0].data).toEqual(
      Int16Array.from({ length: 24 }, (_, i) => i - 12),
    );
  });

  it('without a space is read with a note', async () => {
    const image = await readNrrd(
      crafted({ space: '', 'space directions': '', 'space origin': '', spacings: '0.5 2 3' }),
    );
    expect(image.affine.filter((_, i) => i % 5 === 0)).toEqual([0.5, 2, 3, 1]);
    expect(image.notes.length).toBeGreaterThan(0);
  });

  it('with interleaved channels gives each its own Volume', async () => {
    const data = Buffer.from(Array.from({ length: 24 }, (_, i) => i));
    const image = await readNrrd(
      crafted(
        {
          type: 'uchar',
          dimension: '4',
          sizes: '3 2 2 2',
          kinds: 'list domain domain domain',
          'space directions': 'none (1,0,0) (0,1,0) (0,0,1)',
        },
        data,
      ),
    );
    expect(image.channels.map((channel) => [...channel.data])).toEqual(
      [0, 1, 2].map((c) => Array.from({ length: 8 }, (_, i) => 3 * i + c)),
    );
    await expect(readNrrd(await writeNrrd([small(), small()]), { channels: 'one' })).rejects.toMatchObject({
      kind: 'several-channels',
    });
  });

  it.each<[string, string, Record<string, string>]>([
    ['data in another file', 'detached-data', { 'data file': '../../etc/passwd' }],
    ['data in another file, spelled differently', 'detached-data', { datafile: 'x.raw' }],
    ['no type', 'corrupt', { type: '' }],
    ['a block type', 'unsupported-datatype', { type: 'block' }],
    ['a type from the prototype', 'unsupported-datatype', { type: 'constructor' }],
    ['no sizes', 'corrupt', { sizes: '' }],
    ['a size of zero', 'corrupt', { sizes: '4 0 2' }],
    ['a size that is no number', 'corrupt', { sizes: '4 x 2' }],
    ['a fractional size', 'corrupt', { sizes: '4 2.5 2' }],
    ['sizes and dimension apart', 'corrupt', { dimension: '2' }],
    ['more voxels than bytes', 'truncated', { sizes: '4 3 3' }],
    ['2.8e14 voxels', 'too-large', { sizes: '65536 65536 65536' }],
    ['no byte order', 'corrupt', { endian: '' }],
    ['bzip2', 'unsupported-encoding', { encoding: 'bzip2' }],
    ['skipped bytes', 'unsupported-feature', { 'byte skip': '-1' }],
    ['an unknown space', 'unsupported-feature', { space: 'scanner-xyz' }],
    ['a direction too few', 'invalid-geometry', { 'space directions': '(1,0,0) (0,1,0)' }],
    ['a direction of zeros', 'invalid-geometry', { 'space directions': '(0,0,0) (0,1,0) (0,0,1)' }],
    ['an origin of NaN', 'invalid-geometry', { 'space origin': '(nan,0,0)' }],
  ])('is refused: %s (%s)', async (_, kind, changes) => {
    await expect(readNrrd(crafted(changes))).rejects.toMatchObject({ kind });
  });

  it('is read or refused with a typed error whatever single byte of it changes', async () => {
    const whole = crafted({ kinds: 'domain domain domain' });
    for (let at = 0; at < whole.length; at++)
      for (const flip of [0x01, 0x10, 0x55, 0xff]) {
        const changed = Buffer.from(whole);
        changed[at] ^= flip;
        await readNrrd(changed).catch((error) => expect(isFailure(error), `byte ${at} ^ ${flip}: ${error}`).toBe(true));
      }
  });

  it('is refused with a typed error at every length it can be cut to', async () => {
    for (const whole of [crafted({}), await writeNrrd(small())])
      for (let length = 0; length < whole.length; length++)
        await expect(readNrrd(whole.subarray(0, length)), `cut at ${length}`).rejects.toHaveProperty('kind');
    await expect(readNrrd(Buffer.from('a text'))).rejects.toBeInstanceOf(FormatError);
    expect(isNrrd(crafted({}))).toBe(true);
    expect(isNrrd(Buffer.alloc(3))).toBe(false);
  });
});
