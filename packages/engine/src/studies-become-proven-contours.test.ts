import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDicom, readProvenance, readRtstruct } from '@isocenter/dicom';
import { writeNifti, writeZip } from '@isocenter/formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithData } from '../../../tools/test/needs.js';
import type { Bundle } from './bundle/bundle.js';
import { loadBundle } from './bundle/load-bundle.js';
import { makePhantom, type Phantom } from './phantom/make-phantom.js';
import { type SegmentOptions, segmentStudy } from './segment.js';

const scratch = mkdtempSync(join(tmpdir(), 'isocenter-segment-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let places = 0;
const newPlace = () => join(scratch, `out-${++places}`);

const EVERY_FORMAT = ['rtstruct', 'seg', 'nifti', 'nrrd', 'png', 'csv', 'sr', 'sc'];
const FIXED = { now: new Date(Date.UTC(2026, 4, 6, 7, 8, 9)), runUID: '2.25.4711' };

let phantom: Phantom;
let zip: Buffer;
let ctBasic: Bundle;
beforeAll(async () => {
  phantom = await makePhantom({ size: [100, 84, 36], spacing: [4, 4, 10] });
  zip = await writeZip(phantom.files);
  ctBasic = await loadBundle('ct-basic');
});

/** SHA-256 of each file by name. */
const filesOf = (folder: string) =>
  Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex'),
      ]),
  );

describe('A zip of CT images becomes proven files', () => {
  it('in every format, with a report that says what happened', async () => {
    const outFolder = newPlace();
    const steps: string[] = [];
    const report = await segmentStudy(
      zip,
      ctBasic,
      { ...FIXED, formats: EVERY_FORMAT, outFolder },
      { progress: (_done, _total, step) => steps.push(step) },
    );
    expect(report.exact).toBe(true);
    expect(report.proofs.map(({ object }) => object)).toEqual(['RTSTRUCT', 'SEG', 'NIfTI', 'NRRD']);
    expect(report.structures.map(({ name, proof }) => [name, proof])).toEqual([
      ['Body', 'exact'],
      ['Lung_L', 'exact'],
      ['Lung_R', 'exact'],
      ['Bone', 'exact'],
    ]);
    for (const { voxels, ml, contours } of report.structures) expect(Math.min(voxels, ml, contours)).toBeGreaterThan(0);
    expect(report.input).toMatchObject({
      size: [100, 84, 36],
      axes: 'LPS',
      channels: [{ name: 'ct', modality: 'CT', units: 'HU' }],
    });
    expect(report.reasons[0]).toMatch(/was chosen/);
    expect(report.provenance).toMatchObject({
      modelName: 'ct-basic',
      runUID: '2.25.4711',
      configurationHash: ctBasic.configurationHash,
    });
    expect(report.peakMemoryBytes).toBeGreaterThan(1e7);
    expect(JSON.parse(JSON.stringify(report)).structures).toHaveLength(4);
    expect(readdirSync(outFolder).sort()).toEqual(report.files.map((file) => file.slice(outFolder.length + 1)).sort());
    for (const step of ['reading headers', 'loading images', 'lungs', 'write rtstruct', 'done'])
      expect(steps).toContain(step);
    const stored = JSON.parse(readFileSync(join(outFolder, 'segmentation.proof.json'), 'utf8'));
    expect(stored.proofs).toEqual(report.proofs);
    const object = parseDicom(readFileSync(join(outFolder, 'segmentation.rtstruct.dcm')));
    expect(readProvenance(object.dataset)).toMatchObject({ modelName: 'ct-basic', runUID: '2.25.4711' });
  });

  it('twice with the same bytes, whatever the order, names and endings of the input', async () => {
    const [first, second] = [newPlace(), newPlace()];
    const options = { ...FIXED, formats: EVERY_FORMAT };
    await segmentStudy(zip, ctBasic, { ...options, outFolder: first });
    const renamed = phantom.files
      .map(({ bytes }, n) => ({ name: `x/${(n * 7) % 36}/f${n}${n % 2 ? '' : '.txt'}`, bytes }))
      .reverse();
    await segmentStudy(await writeZip(renamed), ctBasic, { ...options, outFolder: second });
    expect(filesOf(second)).toEqual(filesOf(first));
  });

  it('the same in a child process', async () => {
    const [here, there] = [newPlace(), newPlace()];
    const options = { ...FIXED, formats: ['nifti', 'rtstruct'] };
    await segmentStudy(zip, ctBasic, { ...options, outFolder: here, process: 'this' });
    await segmentStudy(zip, ctBasic, { ...options, outFolder: there, process: 'child' });
    expect(filesOf(there)).toEqual(filesOf(here));
  });

  it('with the PassThrough model of InnerEye, whose structure set has its names and types', async () => {
    const outFolder = newPlace();
    const report = await segmentStudy(zip, await loadBundle('PassThroughModel'), {
      ...FIXED,
      formats: ['rtstruct'],
      outFolder,
      profile: 'innereye',
      holes: 'even-odd',
    });
    const set = readRtstruct(parseDicom(readFileSync(report.files[0])));
    expect(set.rois.map(({ name, number, interpretedType }) => [name, number, interpretedType])).toEqual(
      ['SpinalCord', 'Lung_R', 'Lung_L', 'Heart', 'Esophagus'].map((name, n) => [name, n + 1, 'ORGAN']),
    );
    expect(report.structures.map(({ voxels }) => voxels / 36)).toEqual([36, 108, 180, 252, 324]);
    expect(report.exact).toBe(true);
  });

  it('and NIfTI becomes NIfTI, but no RTSTRUCT', async () => {
    const nifti = await writeNifti(phantom.volume);
    const outFolder = newPlace();
    const report = await segmentStudy(nifti, ctBasic, { formats: ['nifti', 'csv', 'png'], outFolder });
    expect(report.exact).toBe(true);
    const other = newPlace();
    await expect(
      segmentStudy(nifti, ctBasic, { formats: ['nifti', 'rtstruct'], outFolder: other }),
    ).rejects.toMatchObject({ kind: 'needs-dicom' });
    expect(existsSync(other)).toBe(false);
  });
});

describe('Whatever goes wrong, nothing is left behind', () => {
  const attempt = async (input: string | Uint8Array, options: Partial<SegmentOptions>, watch = {}) => {
    const outFolder = join(newPlace(), 'deep', 'below');
    const failure = await segmentStudy(
      input,
      ctBasic,
      { formats: ['rtstruct', 'csv'], outFolder, ...options },
      watch,
    ).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeDefined();
    expect(existsSync(join(outFolder, '..', '..'))).toBe(false);
    return failure as { kind?: string; name: string };
  };

  it('with an input that is no study', async () => {
    expect((await attempt(Buffer.from('hello'), {})).kind).toBe('no-images');
    expect((await attempt(zip.subarray(0, zip.length - 3000), {})).kind).toBeDefined();
    expect((await attempt(join(scratch, 'no such file'), {})).kind).toBe('not-found');
  });

  it('with an unknown format or a wrong study', async () => {
    expect((await attempt(zip, { formats: ['pdf'] })).kind).toBe('unknown-format');
    const head = await makePhantom({ kind: 'head', size: [24, 24, 3] });
    expect((await attempt(await writeZip(head.files), {})).kind).toBe('wrong-modality');
  });

  for (const moment of ['reading headers', 'loading images', 'lungs', 'write rtstruct', 'write csv'])
    it(`when it is cancelled at '${moment}'`, async () => {
      const stop = new AbortController();
      const progress = (_done: number, _total: number, step: string) => {
        if (step === moment) stop.abort();
      };
      expect((await attempt(zip, {}, { signal: stop.signal, progress })).name).toBe('AbortError');
    });

  it('when it is cancelled while the child computes', async () => {
    const stop = new AbortController();
    const soon = setTimeout(() => stop.abort(), 150);
    const failure = await attempt(zip, { process: 'child' }, { signal: stop.signal });
    clearTimeout(soon);
    expect(['cancelled', 'AbortError']).toContain(failure.kind ?? failure.name);
  });

  it('and files of an earlier run stay as they were', async () => {
    const outFolder = newPlace();
    mkdirSync(outFolder);
    writeFileSync(join(outFolder, 'segmentation.rtstruct.dcm'), 'earlier');
    const stop = new AbortController();
    const progress = (_done: number, _total: number, step: string) => {
      if (step === 'write csv') stop.abort();
    };
    await expect(
      segmentStudy(zip, ctBasic, { formats: ['rtstruct', 'csv'], outFolder }, { signal: stop.signal, progress }),
    ).rejects.toThrow();
    expect(readdirSync(outFolder)).toEqual(['segmentation.rtstruct.dcm']);
    expect(readFileSync(join(outFolder, 'segmentation.rtstruct.dcm'), 'utf8')).toBe('earlier');
  });
});

const disk = mkdtempSync(join(tmpdir(), 'isocenter-small-disk-'));
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=96k', 'none', disk]).status === 0;
afterAll(() => {
  if (mounted) spawnSync('umount', [disk]);
  rmSync(disk, { recursive: true, force: true });
});

describe.skipIf(!mounted)(mounted ? 'A disk' : 'A disk (skipped: tmpfs cannot be mounted here)', () => {
  it('that is full gets none of the files', async () => {
    await expect(
      segmentStudy(zip, ctBasic, { formats: ['rtstruct', 'seg'], outFolder: join(disk, 'out') }),
    ).rejects.toMatchObject({ kind: 'disk-full' });
    expect(readdirSync(disk)).toEqual([]);
  });

  it('that is read-only is refused before any work', async () => {
    spawnSync('mount', ['-o', 'remount,ro', disk]);
    const steps: string[] = [];
    const watch = { progress: (_done: number, _total: number, step: string) => steps.push(step) };
    await expect(
      segmentStudy(zip, ctBasic, { formats: ['rtstruct'], outFolder: join(disk, 'out') }, watch),
    ).rejects.toMatchObject({ kind: 'read-only' });
    expect(steps).toEqual([]);
    spawnSync('mount', ['-o', 'remount,rw', disk]);
  });
});

describeWithData('ct-rtstruct-lung1', 'LUNG1-001 from its zip', (path) => {
  it('becomes an RTSTRUCT that every kind of reader fills with the same voxels', async () => {
    const outFolder = newPlace();
    const report = await segmentStudy(join(path, 'LUNG1-001_CT_dicom.zip'), ctBasic, {
      formats: ['rtstruct'],
      outFolder,
    });
    expect(report.exact).toBe(true);
    expect(report.proofs[0].otherReaders?.every(({ exact }) => exact)).toBe(true);
    expect(report.structures.find(({ name }) => name === 'Lung_L')?.ml).toBeGreaterThan(2000);
    expect(report.findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
  });
});

describeWithData('ct-abdomen-totalsegmentator', 'A JPEG 2000 series', (path) => {
  it('is segmented on its own grid and proven', async () => {
    const report = await segmentStudy(join(path, 'example_ct_dicom.zip'), ctBasic, {
      formats: ['rtstruct', 'seg'],
      outFolder: newPlace(),
    });
    expect(report.exact).toBe(true);
    expect(report.input.size).toEqual([512, 512, 20]);
    expect(report.structures.find(({ name }) => name === 'Lung_L')?.voxels).toBe(0);
  });
});

describeWithData('ct-rtstruct-sts', 'Cropped CT, MR and PET', (path) => {
  for (const [file, model] of [
    ['CT', 'ct-basic'],
    ['MR_T1', 'PassThroughModel'],
    ['PET', 'Phantom'],
  ] as const)
    it(`${file} with ${model}`, async () => {
      const report = await segmentStudy(join(path, 'STS_002', `${file}_dicom.zip`), await loadBundle(model), {
        formats: ['rtstruct', 'seg', 'png'],
        outFolder: newPlace(),
      });
      expect(report.exact).toBe(true);
    });
});
