/** NIfTI in and out: nibabel is the oracle for shape, affine and every voxel; hostile headers are refused by kind. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Affine, isFailure, lpsToRas, makeVolume, type VoxelArray } from '@isocenter/volume';
import { afterAll, describe, expect, it } from 'vitest';
import { describeWithData, describeWithPython, sharedData } from '../../../../tools/test/needs.js';
import { FormatError } from '../format-error.js';
import { isNifti } from './nifti-header.js';
import { readNifti } from './read-nifti.js';
import { writeNifti } from './write-nifti.js';

const folder = mkdtempSync(join(tmpdir(), 'nifti-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Prints, for each path, nibabel's shape, affine (RAS) and the raw float64 values through a file. */
const DUMP = `
import sys, json, numpy as np, nibabel as nib
for path in sys.argv[1:]:
    image = nib.load(path)
    data = np.asanyarray(image.dataobj)
    if data.dtype.names: data = np.stack([data[n] for n in data.dtype.names], -1)
    data.astype('<f8').flatten(order='F').tofile(path + '.f8')
    print(json.dumps({'shape': data.shape, 'affine': image.affine.flatten().tolist(), 'dtype': str(data.dtype)}))
`;

function nibabel(python: string, paths: string[]): { shape: number[]; affine: number[]; dtype: string }[] {
  const out = execFileSync(python, ['-c', DUMP, ...paths], { encoding: 'utf8', maxBuffer: 1 << 26 });
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

function values(path: string): Float64Array {
  const bytes = readFileSync(`${path}.f8`);
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** Equal up to the rounding of the narrower side; returns the number of voxels that differ. */
function differing(channels: readonly { data: VoxelArray }[], expected: Float64Array): number {
  let wrong = 0;
  let at = 0;
  for (const { data } of channels)
    for (let i = 0; i < data.length; i++, at++) {
      const want = data instanceof Float32Array ? Math.fround(expected[at]) : expected[at];
      if (!Object.is(data[i] + 0, want + 0)) wrong++;
    }
  return at === expected.length ? wrong : -1;
}

function expectClose(ours: Affine, theirs: readonly number[], tolerance = 1e-4): void {
  theirs.forEach((value, i) => {
    expect(Math.abs(ours[i] - value), `affine element ${i}`).toBeLessThanOrEqual(tolerance);
  });
}

const niftis = (where: string) =>
  readdirSync(join(sharedData, where), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.nii(\.gz)?$/.test(name))
    .map((name) => join(sharedData, where, name));

describeWithPython(['nibabel', 'numpy'], 'real NIfTI files', (python) => {
  for (const where of [
    'ct-abdomen-totalsegmentator',
    'mri-brain-ixi',
    'mri-spinal-cord-sct',
    'mri-hippocampus-msd',
    'models-meshnet',
    'dicom-stress',
  ])
    describeWithData(where, where, () => {
      it('have the shape, affine and voxels that nibabel sees', async () => {
        const paths = niftis(where);
        expect(paths.length).toBeGreaterThan(0);
        const some = paths.slice(0, 8);
        const copies = some.map((path) => join(folder, path.replaceAll('/', '_')));
        for (const [i, path] of some.entries()) writeFileSync(copies[i], readFileSync(path));
        const oracles = nibabel(python, copies);
        for (const [i, path] of some.entries()) {
          const image = await readNifti(readFileSync(path));
          expect(image.size).toEqual([...oracles[i].shape.slice(0, 3), 1, 1].slice(0, 3));
          expectClose(lpsToRas(image.affine), oracles[i].affine);
          expect(differing(image.channels, values(copies[i])), path).toBe(0);
          rmSync(`${copies[i]}.f8`);
        }
      });
    });
});

describeWithPython(['nibabel', 'numpy'], 'NIfTI files of every kind, made by nibabel', (python) => {
  const MAKE = `
import sys, numpy as np, nibabel as nib
folder = sys.argv[1]
rng = np.random.default_rng(7)
affine = np.array([[-0.7, 0.1, 0.0, 90.5], [0.1, 0.7, 0.2, -80.25], [0.0, -0.2, 2.5, 33.0], [0, 0, 0, 1]])
q, _ = np.linalg.qr(affine[:3, :3]); rigid = affine.copy(); rigid[:3, :3] = q * [0.8, 0.9, 3.0]
for version, cls in ((1, nib.Nifti1Image), (2, nib.Nifti2Image)):
    for endian in '<>':
        for t in ('u1', 'i1', 'u2', 'i2', 'u4', 'i4', 'u8', 'i8', 'f4', 'f8'):
            info = np.iinfo(t) if t[0] in 'ui' else None
            data = rng.integers(max(info.min, -2**40), min(info.max, 2**40), (5, 4, 3)) if info else rng.normal(size=(5, 4, 3))
            data = data.astype(endian + t)
            header = cls.header_class(endianness=endian)
            header.set_data_dtype(data.dtype)
            image = cls(data, affine, header)
            image.header.set_data_dtype(data.dtype)
            nib.save(image, f'{folder}/v{version}{"le" if endian == "<" else "be"}-{t}.nii')
def save(name, data, aff, **codes):
    image = nib.Nifti1Image(data, aff)
    image.header.set_sform(aff, codes.get('s', 1)); image.header.set_qform(aff, codes.get('q', 1), strip_shears=True)
    if 'slope' in codes: image.header.set_slope_inter(*codes['slope'])
    if codes.get('s') == 0: image.header.set_sform(None, 0)
    if codes.get('q') == 0: image.header['qform_code'] = 0
    nib.save(image, f'{folder}/{name}.nii.gz'); return image
ints = rng.integers(-1000, 2000, (6, 5, 4)).astype('i2')
save('qform-only', ints, rigid, s=0, q=1)
flipped = rigid.copy(); flipped[:, 2] *= -1
save('qform-left-handed', ints, flipped, s=0, q=1)
for axis in range(3):
    half = np.diag([-1.0, -1, -1, 1]); half[axis, axis] = 1
    save(f'qform-half-turn-{axis}', ints, half, s=0, q=1)
image = nib.Nifti1Image(ints, None); image.header.set_zooms((0.5, 2, 3)); nib.save(image, f'{folder}/no-form.nii.gz')
save('scaled', ints, rigid, slope=(0.37, -1024.5))
save('scaled-int32', ints.astype('i4') * 70000, rigid, slope=(0.1, 3))
save('time-series', rng.integers(0, 99, (4, 3, 2, 5)).astype('u1'), rigid)
save('five-d', rng.normal(size=(4, 3, 2, 1, 3)).astype('f4'), rigid)
save('flat', rng.integers(0, 99, (4, 3)).astype('u1'), rigid)
`;
  it('are read with the same shape, affine and voxels', async () => {
    execFileSync(python, ['-c', MAKE, folder]);
    const names = readdirSync(folder).filter((name) => /\.nii(\.gz)?$/.test(name) && !name.includes('_'));
    expect(names.length).toBeGreaterThan(48);
    const oracles = nibabel(
      python,
      names.map((name) => join(folder, name)),
    );
    for (const [i, name] of names.entries()) {
      const image = await readNifti(readFileSync(join(folder, name)));
      expect([...image.size], name).toEqual([...oracles[i].shape.slice(0, 3), 1].slice(0, 3));
      expectClose(lpsToRas(image.affine), oracles[i].affine, 2e-5);
      const expected = values(join(folder, name));
      if (name.startsWith('scaled-int32')) {
        const worst = expected.reduce(
          (most, value, v) => Math.max(most, Math.abs(value - image.channels[0].data[v])),
          0,
        );
        expect(worst).toBeLessThan(1e-3);
      } else expect(differing(image.channels, expected), name).toBe(0);
    }
  });

  it('are written so that nibabel reads back the same, for each dtype and each orientation', async () => {
    const types = [Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array];
    const affines: Record<string, Affine> = {
      oblique: [0.6, -0.8, 0, 10, 0.8, 0.6, 0, -20, 0, 0, 2.5, 30, 0, 0, 0, 1],
      mirrored: [-0.6, -0.8, 0, 10, -0.8, 0.6, 0, -20, 0, 0, 2.5, 30, 0, 0, 0, 1],
      sheared: [1, 0.3, 0, 10, 0, 1, 0.2, -20, 0, 0, 2.5, 30, 0, 0, 0, 1],
      sagittal: [0, 0, 3, 1, 1, 0, 0, 2, 0, -1, 0, 3, 0, 0, 0, 1],
    };
    const written: { path: string; affine: Affine; data: VoxelArray; dtype: string }[] = [];
    for (const [name, affine] of Object.entries(affines))
      for (const Type of types) {
        const data: VoxelArray = new Type(60);
        for (let i = 0; i < 60; i++) data[i] = (i * 37) % 120;
        const path = join(folder, `out_${name}_${Type.name}.nii.gz`);
        writeFileSync(path, await writeNifti(makeVolume(data, [5, 4, 3], affine)));
        written.push({ path, affine, data, dtype: Type.name.replace('Array', '').toLowerCase() });
      }
    const oracles = nibabel(
      python,
      written.map(({ path }) => path),
    );
    for (const [i, { path, affine, data, dtype }] of written.entries()) {
      expect(oracles[i].shape).toEqual([5, 4, 3]);
      expectClose(affine, lpsToRas(oracles[i].affine), 1e-5);
      expect(oracles[i].dtype).toBe(dtype);
      expect([...values(path)]).toEqual([...data]);
    }
    const forms = execFileSync(
      python,
      [
        '-c',
        `
import sys, json, nibabel as nib
for name in ('oblique', 'mirrored', 'sagittal', 'sheared'):
    image = nib.load(f'{sys.argv[1]}/out_{name}_Int16Array.nii.gz')
    q = image.get_qform(coded=True)[0]
    print(-1 if q is None else abs(q - image.affine).max())
`,
        folder,
      ],
      { encoding: 'utf8' },
    )
      .trim()
      .split('\n')
      .map(Number);
    expect(Math.max(...forms.slice(0, 3))).toBeLessThan(1e-5);
    expect(forms[3]).toBe(-1);
  });
});

const affine: Affine = [0.6, -0.8, 0, 10, 0.8, 0.6, 0, -20, 0, 0, 2.5, 30, 0, 0, 0, 1];
const small = () =>
  makeVolume(
    Int16Array.from({ length: 24 }, (_, i) => i - 5),
    [4, 3, 2],
    affine,
  );

describe('a NIfTI file', () => {
  it('comes back as it was written, plain and gzipped, and is the same bytes each time', async () => {
    for (const gzip of [true, false]) {
      const bytes = await writeNifti(small(), { gzip });
      expect(bytes.equals(await writeNifti(small(), { gzip }))).toBe(true);
      const image = await readNifti(bytes);
      expect(image.channels[0].data).toEqual(small().data);
      expectClose(image.affine, affine, 1e-6);
      expect(image.notes).toEqual([]);
    }
  });

  it('keeps several channels, and is refused where one is asked for', async () => {
    const bytes = await writeNifti([small(), small(), small()]);
    expect((await readNifti(bytes)).channels).toHaveLength(3);
    await expect(readNifti(bytes, { channels: 'one' })).rejects.toMatchObject({ kind: 'several-channels' });
  });

  it('compresses in several blocks to what gunzip expects', async () => {
    const data = Uint16Array.from({ length: 6_000_000 }, (_, i) => (i * 2654435761) >>> 18);
    const bytes = await writeNifti(makeVolume(data, [300, 200, 100], affine));
    expect(gunzipSync(bytes).length).toBe(352 + data.byteLength);
    const { data: back } = (await readNifti(bytes)).channels[0];
    expect(Buffer.from(back.buffer, back.byteOffset, back.byteLength).equals(Buffer.from(data.buffer))).toBe(true);
  });

  it('in metres or micrometres becomes millimetres', async () => {
    for (const [unit, factor] of [
      [1, 1000],
      [3, 0.001],
    ]) {
      const bytes = await writeNifti(small(), { gzip: false });
      bytes[123] = unit;
      const image = await readNifti(bytes);
      expectClose(
        image.affine,
        affine.map((value, i) => (i < 12 ? value * factor : value)),
        1e-3,
      );
      expect(image.notes).toHaveLength(1);
    }
  });

  it('whose sform contradicts pixdim is placed by its qform', async () => {
    const bytes = await writeNifti(small(), { gzip: false });
    bytes.writeFloatLE(99, 280);
    const image = await readNifti(bytes);
    expect(image.affineFrom).toBe('qform');
    expectClose(image.affine, affine, 1e-5);
  });

  it('is refused with a typed error at every length it can be cut to', async () => {
    const whole = await writeNifti(small(), { gzip: false });
    for (let length = 0; length < whole.length; length++)
      await expect(readNifti(whole.subarray(0, length)), `cut at ${length}`).rejects.toBeInstanceOf(FormatError);
    const packed = await writeNifti(small());
    for (let length = 0; length < packed.length; length++)
      await expect(readNifti(packed.subarray(0, length)), `cut at ${length}`).rejects.toHaveProperty('kind');
  });

  it('is read or refused with a typed error whatever single byte of it changes', async () => {
    const whole = await writeNifti(small(), { gzip: false });
    for (let at = 0; at < whole.length; at++)
      for (const flip of [0x01, 0x55, 0x80, 0xff]) {
        const changed = Buffer.from(whole);
        changed[at] ^= flip;
        await readNifti(changed).catch((error) =>
          expect(isFailure(error), `byte ${at} ^ ${flip}: ${error}`).toBe(true),
        );
      }
  });

  it.each<[string, string, (bytes: Buffer) => unknown]>([
    ['text', 'not-this-format', (b) => b.fill('text ')],
    ['a header of a pair', 'detached-data', (b) => b.write('ni1\0', 344)],
    ['an Analyze header', 'not-this-format', (b) => b.fill(0, 344, 348)],
    ['complex numbers', 'unsupported-datatype', (b) => b.writeInt16LE(32, 70)],
    ['an unknown datatype', 'unsupported-datatype', (b) => b.writeInt16LE(77, 70)],
    ['rank 0', 'corrupt', (b) => b.writeInt16LE(0, 40)],
    ['rank 30,000', 'corrupt', (b) => b.writeInt16LE(30_000, 40)],
    ['a negative axis', 'corrupt', (b) => b.writeInt16LE(-4, 42)],
    ['an axis of zero', 'corrupt', (b) => b.writeInt16LE(0, 44)],
    ['more voxels than bytes', 'truncated', (b) => b.writeInt16LE(5, 42)],
    ['3.5e13 voxels', 'too-large', (b) => [42, 44, 46].map((at) => b.writeInt16LE(32_767, at))],
    ['data inside the header', 'corrupt', (b) => b.writeFloatLE(10, 108)],
    ['data behind the end', 'truncated', (b) => b.writeFloatLE(1e9, 108)],
    ['data at NaN', 'corrupt', (b) => b.writeFloatLE(Number.NaN, 108)],
    ['an sform of zeros', 'invalid-geometry', (b) => b.fill(0, 252, 254) && b.fill(0, 280, 328)],
    ['an sform of NaN', 'invalid-geometry', (b) => b.fill(0, 252, 254) && b.writeFloatLE(Number.NaN, 284)],
  ])('is refused: %s (%s)', async (_, kind, damage) => {
    const bytes = await writeNifti(small(), { gzip: false });
    damage(bytes);
    await expect(readNifti(bytes)).rejects.toMatchObject({ kind });
  });

  it('is known by its first bytes, and other files are not', async () => {
    expect(isNifti(await writeNifti(small(), { gzip: false }))).toBe(true);
    expect(isNifti(Buffer.alloc(400))).toBe(false);
    expect(isNifti(Buffer.alloc(4))).toBe(false);
  });
});
