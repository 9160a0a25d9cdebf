/** .npy and .npz in and out: NumPy is the oracle for shape and every value; objects and forged sizes are refused. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describeWithData, describeWithPython } from '../../../../tools/test/needs.js';
import { FormatError } from '../format-error.js';
import { readNpy, writeNpy } from './npy.js';
import { readNpz, writeNpz } from './npz.js';

const folder = mkdtempSync(join(tmpdir(), 'npy-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (python: string, code: string, ...args: string[]) =>
  execFileSync(python, ['-c', `import sys, json, numpy as np\n${code}`, folder, ...args], { encoding: 'utf8' });

describeWithPython(['numpy'], 'arrays beside NumPy', (python) => {
  it('are read as NumPy sees them: each type, order, version and rank', async () => {
    const expected = JSON.parse(
      run(
        python,
        `
rng = np.random.default_rng(5); out = {}
for t in ('?', 'u1', 'i1', '<u2', '>u2', '<i2', '>i2', '<u4', '<i4', '>i4', '<i8', '>u8', '<f2', '>f2', '<f4', '>f4', '<f8', '>f8'):
    for order in 'CF':
        for shape in ((), (5,), (2, 3), (4, 3, 2), (2, 1, 3, 2), (0, 3)):
            a = np.array(rng.normal(size=shape) * 50).astype(t).astype(t) if 'u' not in t else rng.integers(0, 200, shape).astype(t)
            a = np.asarray(a, order=order); name = f'{t.replace("<", "le").replace(">", "be").replace("?", "bool")}-{order}-{len(shape)}-{a.size}'
            np.save(f'{sys.argv[1]}/{name}.npy', a)
            out[name] = [list(shape), a.astype(float).flatten().tolist()]
for version in ((1, 0), (2, 0), (3, 0)):
    with open(f'{sys.argv[1]}/version{version[0]}.npy', 'wb') as f: np.lib.format.write_array(f, np.arange(6.0).reshape(2, 3), version)
    out[f'version{version[0]}'] = [[2, 3], [0, 1, 2, 3, 4, 5]]
special = np.array([0, -0.0, 1e-7, 6e-8, 65504, np.inf, -np.inf], 'f2'); np.save(f'{sys.argv[1]}/half.npy', special[:5]); out['half'] = [[5], special[:5].astype(float).tolist()]
print(json.dumps(out))`,
      ),
    ) as Record<string, [number[], number[]]>;
    expect(Object.keys(expected).length).toBeGreaterThan(200);
    for (const [name, [shape, values]] of Object.entries(expected)) {
      const array = readNpy(readFileSync(join(folder, `${name}.npy`)));
      expect(array.shape, name).toEqual(shape);
      expect([...array.data], name).toEqual(values);
    }
  });

  it('are written so that NumPy reads them, alone and in a .npz', async () => {
    const arrays = [
      Uint8Array,
      Int8Array,
      Uint16Array,
      Int16Array,
      Uint32Array,
      Int32Array,
      Float32Array,
      Float64Array,
    ].map((Type) => {
      const data = new Type(24);
      for (let i = 0; i < 24; i++) data[i] = i * 3;
      return [Type.name, { data, shape: [2, 3, 4] }] as const;
    });
    writeFileSync(join(folder, 'all.npz'), await writeNpz(arrays));
    expect((await writeNpz(arrays)).equals(await writeNpz(arrays))).toBe(true);
    writeFileSync(join(folder, 'one-axis.npy'), writeNpy(Float32Array.of(1, 2, 3), [3]));
    const seen = JSON.parse(
      run(
        python,
        `
z = np.load(sys.argv[1] + '/all.npz'); one = np.load(sys.argv[1] + '/one-axis.npy')
print(json.dumps([[n, str(z[n].dtype), z[n].shape, z[n].flatten().tolist()] for n in z.files] + [['one', str(one.dtype), one.shape, one.tolist()]]))`,
      ),
    );
    expect(seen.slice(0, 8)).toEqual(
      arrays.map(([name, { data }]) => [name, name.replace('Array', '').toLowerCase(), [2, 3, 4], [...data]]),
    );
    expect(seen[8]).toEqual(['one', 'float32', [3], [1, 2, 3]]);
    const back = await readNpz(join(folder, 'all.npz'));
    for (const [name, { data }] of arrays) expect(back.get(name)?.data).toEqual(data);
  });

  it('of Python objects, strings, records and complex numbers are refused and never unpickled', async () => {
    run(
      python,
      `
for name, a in (('object', np.array([{'a': 1}, None], object)), ('text', np.array(['ab'])), ('record', np.zeros(2, [('x', 'f4')])), ('complex', np.zeros(2, complex))):
    np.save(f'{sys.argv[1]}/no-{name}.npy', a)`,
    );
    const names = readdirSync(folder).filter((name) => name.startsWith('no-'));
    expect(names).toHaveLength(4);
    for (const name of names)
      expect(() => readNpy(readFileSync(join(folder, name))), name).toThrow(
        expect.objectContaining({ kind: 'unsupported-datatype' }),
      );
  });
});

describeWithPython(['numpy'], 'real arrays', (python) => {
  for (const where of ['cls-adrenalmnist3d', 'cls-pneumoniamnist'])
    describeWithData(where, where, (path) => {
      it('have the shapes and bytes that NumPy sees', async () => {
        const file = readdirSync(path).find((name) => name.endsWith('.npz')) ?? '';
        const expected = JSON.parse(
          run(
            python,
            `
import hashlib
z = np.load(sys.argv[2]); print(json.dumps({n: [list(a.shape), hashlib.sha256(np.ascontiguousarray(a)).hexdigest()] for n in z.files for a in [z[n]]}))`,
            join(path, file),
          ),
        ) as Record<string, [number[], string]>;
        const arrays = await readNpz(join(path, file));
        expect([...arrays.keys()].sort()).toEqual(Object.keys(expected).sort());
        for (const [name, array] of arrays) {
          expect(array.shape).toEqual(expected[name][0]);
          const { buffer, byteOffset, byteLength } = array.data;
          const digest = createHash('sha256')
            .update(new Uint8Array(buffer, byteOffset, byteLength))
            .digest('hex');
          expect(digest).toBe(expected[name][1]);
        }
      });
    });
});

/** A version 1.0 file with this dictionary. */
function crafted(dict: string, data = Buffer.alloc(24)): Buffer {
  const header = Buffer.from(`${dict}\n`, 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, header, data]);
}

describe('a .npy file', () => {
  it.each<[string, string, Buffer]>([
    ['text', 'not-this-format', Buffer.from('1 2 3')],
    ['an unknown version', 'corrupt', Buffer.from('\x93NUMPY\x09\x00\x00\x00', 'latin1')],
    ['code instead of a dictionary', 'corrupt', crafted("__import__('os').system('true')")],
    ['code as shape', 'corrupt', crafted("{'descr': '<f4', 'fortran_order': False, 'shape': (exit(),), }")],
    ['a negative axis', 'corrupt', crafted("{'descr': '<f4', 'fortran_order': False, 'shape': (-6,), }")],
    [
      'digits made to stall a parser',
      'corrupt',
      crafted(`{'descr': '<f4', 'fortran_order': False, 'shape': (${'1'.repeat(9000)}x), }`),
    ],
    ['a missing field', 'corrupt', crafted("{'descr': '<f4', 'shape': (6,), }")],
    ['more elements than bytes', 'truncated', crafted("{'descr': '<f4', 'fortran_order': False, 'shape': (7,), }")],
    [
      '10^18 elements',
      'too-large',
      crafted("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 1000000000), }"),
    ],
    [
      'a number beyond all',
      'too-large',
      crafted(`{'descr': '<f4', 'fortran_order': False, 'shape': (${'9'.repeat(400)},), }`),
    ],
    ['65 axes', 'too-large', crafted(`{'descr': '|u1', 'fortran_order': False, 'shape': (${'1,'.repeat(65)}), }`)],
  ])('is refused: %s (%s)', (_, kind, bytes) => {
    expect(() => readNpy(bytes)).toThrow(expect.objectContaining({ kind }));
  });

  it('is refused with a typed error at every length it can be cut to', () => {
    const whole = writeNpy(Float64Array.of(1, 2, 3, 4), [2, 2]);
    for (let length = 0; length < whole.length; length++)
      expect(() => readNpy(whole.subarray(0, length)), `cut at ${length}`).toThrow(FormatError);
  });

  it('is read or refused with a typed error whatever single byte of it changes', () => {
    const whole = writeNpy(Int16Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
    for (let at = 0; at < whole.length; at++)
      for (const flip of [0x01, 0x10, 0x55, 0xff]) {
        const changed = Buffer.from(whole);
        changed[at] ^= flip;
        try {
          readNpy(changed);
        } catch (error) {
          expect(error, `byte ${at} ^ ${flip}`).toBeInstanceOf(FormatError);
        }
      }
  });

  it('is not written with a shape that does not fit', () => {
    expect(() => writeNpy(new Uint8Array(5), [2, 3])).toThrow(expect.objectContaining({ kind: 'invalid-value' }));
  });

  it('with 64-bit integers that no double can hold is refused', () => {
    const data = Buffer.alloc(8);
    data.writeBigUInt64LE(2n ** 53n + 1n);
    const bytes = crafted("{'descr': '<u8', 'fortran_order': False, 'shape': (1,), }", data);
    expect(() => readNpy(bytes)).toThrow(expect.objectContaining({ kind: 'unsupported-datatype' }));
  });

  it('is refused as .npz when the zip holds none', async () => {
    const { writeZip } = await import('../intake/write-zip.js');
    const zip = await writeZip([{ name: 'x.txt', bytes: Buffer.from('x') }]);
    await expect(readNpz(zip)).rejects.toMatchObject({ kind: 'not-this-format' });
    await expect(readNpz(Buffer.from('text'))).rejects.toMatchObject({ kind: 'not-an-archive' });
  });
});
