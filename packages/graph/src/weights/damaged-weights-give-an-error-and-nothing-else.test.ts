/** Files cut at every byte, and files with any byte changed: a WeightsError or ArchiveError, or weights; never another error. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWithData } from '../../../../tools/test/needs.js';
import { tensorOf } from '../tensor/tensor.js';
import {
  archive,
  bytes,
  call,
  dict,
  FOUR_FLOATS,
  global,
  int,
  legacyFile,
  orderedDict,
  pickle,
  tensor,
  text,
  tuple,
  uint64,
} from './pickle/pickle-assembler.suite.js';
import { readPyTorchArchive } from './pytorch-archive.js';
import { readBytes } from './read-file.suite.js';
import { writeSafetensors } from './safetensors/write-safetensors.js';
import { writable } from './writable-tensor.js';
import { writeStateDict } from './write-state-dict.js';

type Outcome = 'read' | 'refused';

/** Reads all bytes of all tensors. Anything but our own errors fails the test. */
async function outcome(work: () => Promise<Awaited<ReturnType<typeof readBytes>>>): Promise<Outcome> {
  try {
    for (const one of (await work()).tensors) expect((await one.read()).length).toBe(one.bytes);
    return 'read';
  } catch (error) {
    const { name, next, message } = error as Error & { next?: string };
    expect(['WeightsError', 'ArchiveError'], `${name}: ${message}`).toContain(name);
    expect(next).toBeTruthy();
    return 'refused';
  }
}

/** Lehmer's generator: the same files in every run. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}

const weights = [
  writable('conv.weight', tensorOf('float32', [2, 3], [1, 2, 3, 4, 5, 6])),
  writable('steps', tensorOf('int64', [2], [7, 8])),
];
const rich = pickle(
  dict(
    text('state_dict'),
    bytes(orderedDict(), '(', text('w'), tensor(), 'u', dict(text('_metadata'), orderedDict()), 'b'),
    text('epoch'),
    int(3),
    text('best'),
    call(
      global('numpy.core.multiarray', 'scalar'),
      call(global('numpy', 'dtype'), text('f8')),
      bytes('C', 8, uint64(0)),
    ),
    text('size'),
    call(global('torch', 'Size'), tuple(int(2), int(3))),
    text('x'),
    bytes(0x8c, 2, 'ab', 0x94, 'K', 5, 0x86, 'F1.5\nV\\u0061\nN0', 0x85),
  ),
);

it('cut at every byte: refused', async () => {
  const zip = await writeStateDict(weights);
  const safetensors = await writeSafetensors(weights);
  const legacy = legacyFile(rich);
  for (const file of [zip, safetensors, legacy])
    for (let length = 0; length < file.length; length++)
      expect(await outcome(() => readBytes(file.subarray(0, length))), `${length} bytes`).toBe('refused');
  for (let length = 0; length < rich.length; length++)
    expect(await outcome(() => readPyTorchArchive(archive(rich.subarray(0, length)))), `${length} bytes`).toBe(
      'refused',
    );
  expect(await outcome(() => readBytes(legacy))).toBe('read');
});

it('with any byte changed: read or refused, in both ways of refusing', async () => {
  const random = randomNumbers(7);
  const counts = { read: 0, refused: 0 };
  for (const original of [legacyFile(rich), await writeSafetensors(weights), await writeStateDict(weights)])
    for (let at = 0; at < original.length; at++)
      for (const value of [original[at] ^ 0x01, 0xff, random(256)]) {
        const changed = Uint8Array.from(original);
        changed[at] = value;
        counts[await outcome(() => readBytes(changed, { refusals: at % 2 === 0 ? 'throw' : 'list' }))]++;
      }
  expect(counts.read).toBeGreaterThan(100);
  expect(counts.refused).toBeGreaterThan(1000);
});

it('a pickle of random instructions: read or refused', async () => {
  // Real operands between random instructions reach deeper than bytes alone.
  const parts = [
    tensor(),
    orderedDict(),
    int(3),
    text('k'),
    tuple(),
    dict(),
    bytes('('),
    bytes('t'),
    bytes('R'),
    bytes('b'),
    bytes('u'),
    bytes('e'),
    bytes('s'),
    bytes('a'),
    bytes('q', 0),
    bytes('h', 0),
    bytes('2'),
    bytes('0'),
    bytes('1'),
    bytes(0x81),
    bytes(0x85),
    bytes('Q'),
    bytes('o'),
    bytes(0x92),
    bytes(0x8f),
    bytes(0x90),
    bytes(0x91),
    bytes(0x94),
    bytes('l'),
    bytes('d'),
    global('os', 'system'),
    global('torch', 'FloatStorage'),
    global('__torch__', 'Net'),
  ];
  const random = randomNumbers(1);
  for (let round = 0; round < 4000; round++) {
    const body = bytes(...Array.from({ length: 1 + random(30) }, () => parts[random(parts.length)]));
    const script = round % 2 === 0 ? { 'constants.pkl': pickle(tuple()) } : undefined;
    const entries = archive(pickle(text('root'), body, bytes('0'), tensor(), bytes(0x86)), { 0: FOUR_FLOATS }, script);
    await outcome(() => readPyTorchArchive(entries, { refusals: round % 3 === 0 ? 'list' : 'throw' }));
  }
});

describeWithData('weights-pytorch-unet3d', 'a real checkpoint', (path) => {
  it('cut at many places: refused', async () => {
    const whole = readFileSync(join(path, 'whole_images_epoch_5.pth'));
    for (let length = 0; length < whole.length; length += 9973)
      expect(await outcome(() => readBytes(whole.subarray(0, length)))).toBe('refused');
  });
});
