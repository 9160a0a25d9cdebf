import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assembleSeries, loadVolume, scanSources, supportedTransferSyntaxes } from '@isocenter/dicom';
import { bufferSource } from '@isocenter/formats';
import { sameGrid, structureVoxels } from '@isocenter/volume';
import { describe, expect, it } from 'vitest';
import { describeWithPrograms } from '../../../../tools/test/needs.js';
import { drawPhantom, makePhantom, type Phantom, PhantomError, type PhantomOptions } from './make-phantom.js';

const SMALL = { size: [72, 64, 12], spacing: [5.5, 5.5, 20] } as const;

async function readBack(phantom: Phantom) {
  const scan = await scanSources(phantom.files.map(({ bytes, name }) => bufferSource(bytes, name)));
  expect(scan.series).toHaveLength(1);
  const assembly = assembleSeries(scan.series[0]);
  expect(assembly.findings).toEqual([]);
  return loadVolume(assembly);
}

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const orientations: Record<string, PhantomOptions> = {
  axial: {},
  sagittal: { plane: 'sagittal' },
  coronal: { plane: 'coronal' },
  oblique: { tilt: [12, -7, 20] },
  'flipped columns': { flipColumns: true },
  'flipped rows': { plane: 'coronal', flipRows: true },
  prone: { patientPosition: 'HFP' },
  'feet first': { patientPosition: 'FFS' },
};

describe('A phantom study reads back as what was drawn', () => {
  for (const [name, options] of Object.entries(orientations))
    it(`in ${name} orientation`, async () => {
      const phantom = await makePhantom({ ...SMALL, ...options });
      const { volume, units, reference } = await readBack(phantom);
      expect(sameGrid(volume, phantom.grid)).toBe(true);
      expect(Buffer.compare(Buffer.from(volume.data.buffer), Buffer.from(phantom.volume.data.buffer))).toBe(0);
      expect(units).toBe('HU');
      expect(reference.header.string('PatientPosition')).toBe(options.patientPosition ?? 'HFS');
    });

  for (const [uid, { name, encode }] of supportedTransferSyntaxes)
    if (encode)
      it(`in ${name}`, async () => {
        const phantom = await makePhantom({
          kind: 'head',
          size: [40, 44, 2],
          spacing: [6, 6, 60],
          transferSyntaxUID: uid,
        });
        const { volume } = await readBack(phantom);
        expect([...volume.data]).toEqual([...phantom.volume.data]);
      });

  it('bit for bit again with the same seed, and otherwise with another', async () => {
    const options = { size: [40, 40, 3], spacing: [9, 9, 40] } as const;
    const hashes = async (seed: string) =>
      (await makePhantom({ ...options, seed })).files.map(({ bytes }) => hash(bytes));
    const first = await hashes('a');
    expect(await hashes('a')).toEqual(first);
    const other = await hashes('b');
    for (const [n, each] of other.entries()) expect(each).not.toBe(first[n]);
  });

  it('with every structure of the truth inside, and patient data that nobody takes for a patient', async () => {
    for (const kind of ['thorax', 'head'] as const) {
      const phantom = await makePhantom({ kind, size: [96, 96, 40], spacing: [4.5, 4.5, 9] });
      for (const voxels of structureVoxels(phantom.segmentation)) expect(voxels).toBeGreaterThan(0);
      const { reference } = await readBack(phantom);
      expect(reference.header.string('PatientName')).toMatch(/^Phantom\^/);
      expect(reference.header.string('PatientSex')).toBe('O');
      expect(reference.header.string('PatientBirthDate')).toBeUndefined();
    }
  });

  it('with tissue values of the textbook', () => {
    const { volume, segmentation } = drawPhantom({ size: [128, 128, 60], spacing: [3.2, 3.2, 6] });
    const mean = (name: string) => {
      const { layer, label } = segmentation.structures.find((structure) => structure.name === name) ?? {
        layer: 0,
        label: 0,
      };
      let [sum, count] = [0, 0];
      volume.data.forEach((value, n) => {
        if (segmentation.layers[layer].data[n] === label) [sum, count] = [sum + value, count + 1];
      });
      return sum / count;
    };
    expect(mean('Lung_L')).toBeGreaterThan(-880);
    expect(mean('Lung_L')).toBeLessThan(-700);
    expect(Math.abs(mean('Liver') - 60)).toBeLessThan(12);
    expect(mean('Bone')).toBeGreaterThan(250);
    expect(mean('Trachea')).toBeLessThan(-700);
  });

  it('or is refused with the wrong option named', () => {
    expect(() => drawPhantom({ size: [0, 10, 10] })).toThrow(PhantomError);
    expect(() => drawPhantom({ spacing: [1, Number.NaN, 1] })).toThrow(/spacing/);
  });
});

describeWithPrograms(['dciodvfy'], 'dciodvfy finds no error in phantom images', () => {
  const cases: PhantomOptions[] = [
    {},
    { plane: 'coronal', tilt: [9, 4, 2], patientPosition: 'FFS', transferSyntaxUID: '1.2.840.10008.1.2.4.90' },
    { kind: 'head', plane: 'sagittal' },
  ];
  for (const options of cases)
    it(JSON.stringify(options), async () => {
      const folder = mkdtempSync(join(tmpdir(), 'isocenter-phantom-'));
      try {
        const { files } = await makePhantom({ size: [48, 48, 2], spacing: [8, 8, 80], ...options });
        const path = join(folder, 'image.dcm');
        writeFileSync(path, files[0].bytes);
        const { stderr, stdout } = spawnSync('dciodvfy', [path], { encoding: 'utf8' });
        expect(`${stdout}${stderr}`).toMatch(options.kind === 'head' ? /MRImage/ : /CTImage/);
        expect(`${stdout}${stderr}`).not.toMatch(/Error/);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
});
