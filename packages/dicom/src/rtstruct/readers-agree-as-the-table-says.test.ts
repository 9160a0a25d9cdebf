/**
 * Measures which readers get back exactly the voxels that our RTSTRUCT was made from, for each way of writing holes, and
 * holds docs/reference/rtstruct-readers.md to it. ISOCENTER_WRITE_TABLE=1 writes that page's tables from the measurement.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { affineFrom, type HoleMode, makeVolume, type Segmentation } from '@isocenter/volume';
import { describe, expect, it } from 'vitest';
import {
  CT_IMAGE_STORAGE,
  countedUIDs,
  orientations,
  paperReference,
  readNifti,
  referenceFromFiles,
  testNow,
  testProvenance,
  unzip,
  withFolderAsync,
} from '../../../../tools/test/dicom-objects.js';
import { describeWithPython, repositoryRoot, sharedData } from '../../../../tools/test/needs.js';
import { Dataset } from '../dataset/dataset.js';
import { parseDicom } from '../dataset/parse.js';
import { writeDicom } from '../dataset/serialize.js';
import type { ReferenceSeries } from '../series/reference.js';
import { readRtstruct } from './read.js';
import { rtstructToSegmentation } from './to-segmentation.js';
import { writeRtstruct } from './write.js';

const PAGE = join(repositoryRoot, 'docs/reference/rtstruct-readers.md');
const SCRIPT = join(repositoryRoot, 'tools/readers/rtstruct_readers.py');
const WRITE = process.env.ISOCENTER_WRITE_TABLE === '1';
const MODES: readonly HoleMode[] = ['even-odd', 'keyhole', 'separate'];
const INSETS = [0, 1 / 64] as const;
const OURS = 'Isocenter';
const PROGRAMS: Readonly<Record<string, { modules: readonly string[]; program?: string }>> = {
  'pydicom and a plain even-odd filler': { modules: ['pydicom', 'numpy'] },
  plastimatch: { modules: ['pydicom', 'numpy', 'SimpleITK'], program: 'plastimatch' },
  'plastimatch --xor-contours': { modules: ['pydicom', 'numpy', 'SimpleITK'], program: 'plastimatch' },
  'rt-utils': { modules: ['rt_utils'] },
  dcmrtstruct2nii: { modules: ['dcmrtstruct2nii', 'SimpleITK'] },
};

interface Count {
  readonly voxels: number;
  readonly missing: number;
  readonly extra: number;
}

interface Case {
  readonly segmentation: Segmentation;
  readonly reference: ReferenceSeries;
  readonly files: readonly Uint8Array[];
}

/** 'exact', or the lowest Dice of a structure (0 for one that a reader loses) and the voxels that are wrong in all. */
function verdict(counts: Readonly<Record<string, Count>>): string {
  const all = Object.values(counts);
  const wrong = all.reduce((sum, { missing, extra }) => sum + missing + extra, 0);
  if (wrong === 0) return 'exact';
  const dice = all.map(({ voxels, missing, extra }) => (2 * (voxels - missing)) / (2 * voxels - missing + extra));
  return `${Math.min(...dice).toFixed(3)} (${wrong} voxels)`;
}

/** Solid, hole, island in a hole, two holes, thin wall, diagonal touch, single voxels: all in one small map of five structures. */
function phantom(): Case {
  const size = [72, 72, 8] as const;
  const reference = paperReference(
    size,
    affineFrom(orientations.axial, [0.9765625, 0.9765625, 3], [-33.5, -21.25, 104.5]),
  );
  const data = new Uint8Array(size[0] * size[1] * size[2]);
  const inDisc = (i: number, j: number, ci: number, cj: number, r: number) => Math.hypot(i - ci, j - cj) <= r;
  for (let k = 1; k < 7; k++)
    for (let j = 0; j < size[1]; j++)
      for (let i = 0; i < size[0]; i++) {
        let label = 0;
        if (inDisc(i, j, 15, 15, 11 - k / 4)) label = 1;
        if (inDisc(i, j, 50, 16, 13) && !inDisc(i, j, 48, 15, 5 + k / 3)) label = 2;
        if (inDisc(i, j, 17, 45, 14) && !(inDisc(i, j, 17, 45, 9) && !inDisc(i, j, 16, 46, 3))) label = 3;
        if (inDisc(i, j, 52, 46, 14) && !inDisc(i, j, 46, 43, 4) && !inDisc(i, j, 58, 50, 3.5)) label = 4;
        if (j > 29 && j < 34 && i > 30 && i < 40 && (i + j) % 2 === 0) label = 5;
        data[i + size[0] * (j + size[1] * k)] = label;
      }
  const names = ['solid', 'hole', 'island', 'two-holes', 'diagonal'];
  const segmentation: Segmentation = {
    kind: 'segmentation',
    grid: reference.grid,
    layers: [makeVolume(data, size, reference.grid.affine)],
    structures: names.map((name, n) => ({
      name,
      colour: [50 * n, 9, 9],
      interpretedType: 'ORGAN',
      layer: 0,
      label: n + 1,
    })),
  };
  return { segmentation, reference, files: reference.slices.map((_, k) => image(reference, k)) };
}

/** Slice k of a paper reference as a CT image of zeros: readers insist on having images. */
function image(reference: ReferenceSeries, k: number): Uint8Array {
  const [columns, rows] = reference.grid.size;
  const m = reference.grid.affine;
  const dataset = new Dataset()
    .copyFrom(reference.header, [...reference.header.elements.keys()])
    .set('SOPClassUID', CT_IMAGE_STORAGE)
    .set('SOPInstanceUID', reference.slices[k].SOPInstanceUID)
    .set('InstanceNumber', k + 1)
    .set('ImagePositionPatient', [m[3], m[7], m[11] + m[10] * k])
    .set('ImageOrientationPatient', [1, 0, 0, 0, 1, 0])
    .set('PixelSpacing', [m[5], m[0]])
    .set('SliceThickness', m[10])
    .set('SliceLocation', m[11] + m[10] * k)
    .set('SamplesPerPixel', 1)
    .set('PhotometricInterpretation', 'MONOCHROME2')
    .set('Rows', rows)
    .set('Columns', columns)
    .set('BitsAllocated', 16)
    .set('BitsStored', 16)
    .set('HighBit', 15)
    .set('PixelRepresentation', 1)
    .set('RescaleIntercept', [0])
    .set('RescaleSlope', [1])
    .set('PixelData', new Uint8Array(rows * columns * 2), 'OW');
  return writeDicom(dataset);
}

/** The four clinical masks of LUNG1 on the clinical CT. */
async function lung1(): Promise<Case> {
  const folder = join(sharedData, 'ct-rtstruct-lung1');
  const files = (await unzip(join(folder, 'LUNG1-001_CT_dicom.zip'))).map((file) => file.bytes);
  const reference = referenceFromFiles(files);
  const names = ['2_GTV-1', '6_Spinal-Cord', '7_Lung-Left', '8_Lung-Right'];
  const layers = names.map((name) => {
    const mask = readNifti(join(folder, `LUNG1-001_mask_${name}.nii.gz`));
    return makeVolume(mask.data, reference.grid.size, reference.grid.affine);
  });
  const structures = names.map((name, layer) => ({
    name: name.slice(2),
    colour: [200, 60 * layer, 0] as const,
    interpretedType: 'ORGAN',
    layer,
    label: 1,
  }));
  return { segmentation: { kind: 'segmentation', grid: reference.grid, layers, structures }, reference, files };
}

function byOurselves(bytes: Uint8Array, { segmentation, reference }: Case): Record<string, Count> {
  const back = rtstructToSegmentation(readRtstruct(parseDicom(bytes)), reference).segmentation;
  const counts = segmentation.structures.map(({ name, layer, label }, n) => {
    const own = segmentation.layers[layer].data;
    const { layer: otherLayer, label: otherLabel } = back.structures[n];
    const other = back.layers[otherLayer].data;
    let [voxels, missing, extra] = [0, 0, 0];
    for (let p = 0; p < own.length; p++) {
      if (own[p] === label) voxels++;
      if (own[p] === label && other[p] !== otherLabel) missing++;
      if (own[p] !== label && other[p] === otherLabel) extra++;
    }
    return [name, { voxels, missing, extra }] as const;
  });
  return Object.fromEntries(counts);
}

/** Readers' verdicts on one case, as rows of the page's table. */
async function measure(
  python: string,
  makeCase: () => Case | Promise<Case>,
  readers: readonly string[],
): Promise<string[]> {
  const given = await makeCase();
  const { segmentation, reference } = given;
  return withFolderAsync(async (folder) => {
    const images = join(folder, 'images');
    mkdirSync(images);
    given.files.forEach((bytes, n) => {
      writeFileSync(join(images, `${n}.dcm`), bytes);
    });
    const masks: Record<string, string> = {};
    segmentation.structures.forEach(({ name, layer, label }, n) => {
      masks[name] = join(folder, `${n}.raw`);
      writeFileSync(
        masks[name],
        Uint8Array.from(segmentation.layers[layer].data, (value) => (value === label ? 1 : 0)),
      );
    });
    const description = join(folder, 'masks.json');
    const [ni, nj, nk] = reference.grid.size;
    writeFileSync(description, JSON.stringify({ shape: [nk, nj, ni], masks }));
    const cells = new Map(readers.map((reader) => [reader, [] as string[]]));
    for (const inset of INSETS)
      for (const holes of MODES) {
        const rtstruct = join(folder, `${holes}-${inset}.dcm`);
        const bytes = writeRtstruct(segmentation, reference, {
          holes,
          inset,
          provenance: testProvenance,
          now: testNow,
          uid: countedUIDs(holes),
        });
        writeFileSync(rtstruct, bytes);
        for (const reader of readers) {
          const counts =
            reader === OURS ? byOurselves(bytes, given) : ask(python, reader, rtstruct, images, description);
          cells.get(reader)?.push(verdict(counts));
        }
      }
    return [...cells].map(([reader, row]) => `| ${reader} | ${row.join(' | ')} |`);
  });
}

function ask(python: string, ...args: string[]): Record<string, Count> {
  const { stdout, stderr, status } = spawnSync(python, [SCRIPT, ...args], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(`${args[0]}: ${stderr.slice(-2000)}`);
  return JSON.parse(stdout);
}

function available(python: string): string[] {
  const has = ({ modules, program }: (typeof PROGRAMS)[string]): boolean =>
    spawnSync(python, ['-c', `import ${modules.join(',')}`]).status === 0 &&
    (program === undefined || spawnSync('which', [program]).status === 0);
  return [OURS, ...Object.keys(PROGRAMS).filter((reader) => has(PROGRAMS[reader]))];
}

/** Puts measured rows between the page's marks for `table`. */
function writeTable(table: string, rows: readonly string[]): void {
  const page = readFileSync(PAGE, 'utf8');
  const [open, close] = [`<!-- table: ${table} -->`, `<!-- end: ${table} -->`];
  const head = `| reader | even-odd | keyhole | separate | even-odd, inset | keyhole, inset | separate, inset |\n|---|---|---|---|---|---|---|`;
  const start = page.indexOf(open) + open.length;
  writeFileSync(PAGE, `${page.slice(0, start)}\n${head}\n${rows.join('\n')}\n${page.slice(page.indexOf(close))}`);
}

function check(table: string, rows: readonly string[]): void {
  if (WRITE) writeTable(table, rows);
  const page = readFileSync(PAGE, 'utf8');
  const part = page.slice(page.indexOf(`<!-- table: ${table} -->`), page.indexOf(`<!-- end: ${table} -->`));
  for (const row of rows) expect(part).toContain(row);
}

describeWithPython(['pydicom', 'numpy'], 'readers of our RTSTRUCT', (python) => {
  it('get the voxels of a phantom full of holes back as the table says', { timeout: 600_000 }, async () => {
    check('phantom', await measure(python, phantom, available(python)));
  });
  it('get the clinical masks of LUNG1 back as the table says', { timeout: 1_800_000 }, async (context) => {
    // Six structure sets of four organs through each reader take minutes, most of them in plastimatch.
    const quick = WRITE || process.env.ISOCENTER_ALL_READERS === '1';
    const readers = available(python).filter((reader) => quick || reader === OURS);
    try {
      check('lung1', await measure(python, lung1, readers));
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOENT') context.skip();
      throw error;
    }
  });
});

describe('ourselves', () => {
  it('get the phantom back exactly in every mode, with and without inset', () => {
    const given = phantom();
    for (const inset of INSETS)
      for (const holes of MODES) {
        const options = { holes, inset, provenance: testProvenance, now: testNow, uid: countedUIDs() };
        expect(verdict(byOurselves(writeRtstruct(given.segmentation, given.reference, options), given))).toBe('exact');
      }
  });
});
