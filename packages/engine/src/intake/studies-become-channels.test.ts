import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeNifti, writeNrrd, writeZip } from '@isocenter/formats';
import { makeVolume, resample, sameGrid } from '@isocenter/volume';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithData } from '../../../../tools/test/needs.js';
import type { Bundle } from '../bundle/bundle.js';
import { loadBundle } from '../bundle/load-bundle.js';
import { makePhantom, type PhantomOptions } from '../phantom/make-phantom.js';
import { channelFolders } from './channel-folders.js';
import { openStudy } from './open-study.js';
import { type ChannelWish, selectChannels } from './select-channels.js';

type File = { readonly name: string; readonly bytes: Uint8Array };

const SMALL = { size: [40, 36, 8], spacing: [10, 10, 30] } as const;
const study = async (options: PhantomOptions, folder = ''): Promise<File[]> =>
  (await makePhantom({ ...SMALL, ...options })).files.map(({ name, bytes }) => ({ name: folder + name, bytes }));

let passThrough: Bundle;
let ctBasic: Bundle;
beforeAll(async () => {
  passThrough = await loadBundle('PassThroughModel');
  ctBasic = await loadBundle('ct-basic');
});

/** A model of several channels, made of one that ships. */
function withChannels(...channels: Bundle['isocenter']['channels']): Bundle {
  return { ...passThrough, name: 'several', isocenter: { ...passThrough.isocenter, channels } };
}

async function select(input: string | Uint8Array, bundle: Bundle, wish: ChannelWish = {}) {
  const opened = await openStudy(input);
  try {
    return await selectChannels(opened, bundle, wish);
  } finally {
    await opened.close();
  }
}

describe('Any form of a study gives the same volume', () => {
  const folder = mkdtempSync(join(tmpdir(), 'isocenter-intake-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('zip, zip in another order with other names, folder, single file', async () => {
    const files = await study({});
    const first = await select(await writeZip(files), ctBasic);
    const shuffled = files.map(({ bytes }, n) => ({ name: `a/b${(n * 5) % files.length}/${n}`, bytes })).reverse();
    const second = await select(await writeZip(shuffled), ctBasic);
    for (const { name, bytes } of files) {
      mkdirSync(dirname(join(folder, 'study', name)), { recursive: true });
      writeFileSync(join(folder, 'study', name), bytes);
    }
    const third = await select(join(folder, 'study'), ctBasic);
    for (const other of [second, third]) {
      expect(other.input.channels[0].volume).toEqual(first.input.channels[0].volume);
      expect(other.reference?.slices).toEqual(first.reference?.slices);
    }
    const one = await select(files[3].bytes, ctBasic);
    expect(one.input.channels[0].volume.size).toEqual([40, 36, 1]);
    expect(first.input.channels[0]).toMatchObject({ name: 'ct', modality: 'CT', units: 'HU' });
    expect(first.reasons[0]).toMatch(/^Series 1 was chosen/);
  });

  it('NIfTI and NRRD, gzipped or not, without a reference', async () => {
    const { volume } = await makePhantom(SMALL);
    const nifti = await writeNifti(volume);
    const forms = [
      nifti,
      await writeNifti(volume, { gzip: false }),
      await writeNrrd(volume),
      await writeZip([{ name: 'x.nii.gz', bytes: nifti }]),
    ];
    for (const bytes of forms) {
      const { input, reference, reasons } = await select(bytes, ctBasic);
      expect(sameGrid(input.channels[0].volume, volume, 0.01)).toBe(true);
      expect([...input.channels[0].volume.data]).toEqual([...volume.data]);
      expect(reference).toBeUndefined();
      expect(reasons.join(' ')).toMatch(/taken for CT, HU/);
    }
  });
});

describe('What cannot be given to a model is refused with the next step', () => {
  it('nothing that is an image', async () => {
    const text = await writeZip([{ name: 'letter.txt', bytes: Buffer.from('Dear colleague') }]);
    await expect(openStudy(text)).rejects.toMatchObject({ kind: 'no-images', next: expect.stringMatching(/DICOM/) });
  });

  it('an MR study for a CT model, and a CT study for an MR model', async () => {
    const head = await writeZip(await study({ kind: 'head' }));
    await expect(select(head, ctBasic)).rejects.toMatchObject({
      kind: 'wrong-modality',
      message: expect.stringMatching(/needs CT and the study holds MR/),
    });
    const mr = withChannels({ name: 't1', modalities: ['MR'] });
    const thorax = await writeZip(await study({}));
    await expect(select(thorax, mr)).rejects.toMatchObject({
      kind: 'wrong-modality',
      next: expect.stringMatching(/MR series/),
    });
  });

  it('a series that is not what the bundle asks for', async () => {
    const prone = withChannels({ name: 'ct', constraints: { PatientPosition: ['HFP', 'FFP'] } });
    await expect(select(await writeZip(await study({})), prone)).rejects.toMatchObject({
      kind: 'constraint',
      where: 'attribute PatientPosition',
    });
    const { input } = await select(await writeZip(await study({ patientPosition: 'HFP' })), prone);
    expect(input.channels).toHaveLength(1);
  });

  it('two series that fit equally well, unless one is named', async () => {
    const files = [...(await study({ seed: 'one' }, 'a/')), ...(await study({ seed: 'two' }, 'b/'))];
    const zip = await writeZip(files);
    await expect(select(zip, ctBasic)).rejects.toMatchObject({ kind: 'ambiguous-series' });
    const named = await select(zip, ctBasic, { series: 2 });
    expect(named.reference?.SeriesInstanceUID).not.toBe(
      (await select(zip, ctBasic, { ties: 'first' })).reference?.SeriesInstanceUID,
    );
    const UID = named.reference?.SeriesInstanceUID ?? '';
    expect((await select(zip, ctBasic, { series: UID })).reference?.SeriesInstanceUID).toBe(UID);
  });

  it('two NIfTI files for a model of one channel', async () => {
    const { volume } = await makePhantom(SMALL);
    const bytes = await writeNifti(volume);
    const zip = await writeZip([
      { name: 'a.nii.gz', bytes },
      { name: 'b.nii.gz', bytes },
    ]);
    await expect(select(zip, ctBasic)).rejects.toMatchObject({ kind: 'several-images' });
  });
});

describe('Several channels', () => {
  const two = () => withChannels({ name: 'ct' }, { name: 'flair' });

  it('come from folders named after them, also below one folder around everything', async () => {
    const files = [...(await study({}, 'ct/')), ...(await study({ kind: 'head', centre: [0, 16, -20] }, 'FLAIR/'))];
    for (const around of ['', 'study/', 'a/b/']) {
      const zip = await writeZip(files.map(({ name, bytes }) => ({ name: around + name, bytes })));
      const { input, reference } = await select(zip, two());
      expect(input.channels.map(({ name, modality }) => [name, modality])).toEqual([
        ['ct', 'CT'],
        ['flair', 'MR'],
      ]);
      expect(reference?.Modality).toBe('CT');
    }
  });

  it('of other grids are brought onto the first by linear interpolation when they share the frame of reference', async () => {
    const files = await study({}, 'ct/');
    const second = await makePhantom({ ...SMALL, size: [30, 30, 12], spacing: [12, 12, 20] });
    const nifti = await writeNifti(second.volume, { gzip: false });
    const ct = await makePhantom(SMALL);
    const zip = await writeZip([
      { name: 'ct.nii', bytes: await writeNifti(ct.volume, { gzip: false }) },
      { name: 'flair.nii', bytes: nifti },
    ]);
    const { input, reasons } = await select(zip, two());
    expect(sameGrid(input.channels[1].volume, input.channels[0].volume)).toBe(true);
    const expected = resample(second.volume, input.channels[0].volume);
    let largest = 0;
    input.channels[1].volume.data.forEach((value, n) => {
      largest = Math.max(largest, Math.abs(value - expected.data[n]));
    });
    // The affine of NIfTI is in 32-bit floats.
    expect(largest).toBeLessThan(0.2);
    expect(reasons.join(' ')).toMatch(/'flair' was resampled/);
    expect(files.length).toBe(8);
  });

  it('of other grids without a common frame of reference are refused, and the reason is said', async () => {
    const files = [...(await study({}, 'ct/')), ...(await study({ kind: 'head', size: [20, 20, 5] }, 'flair/'))];
    await expect(select(await writeZip(files), two())).rejects.toMatchObject({
      kind: 'different-space',
      next: expect.stringMatching(/register/),
    });
  });

  it('in folders of other names are refused with what is there and what is wanted', async () => {
    const files = [...(await study({}, 'planning/')), ...(await study({ kind: 'head' }, 'brain/'))];
    await expect(select(await writeZip(files), two())).rejects.toMatchObject({
      kind: 'wrong-channels',
      message: expect.stringMatching(/needs the channels ct, flair; the input has 2 folders of other names/),
      next: expect.stringMatching(/ct\/…, flair\/…/),
    });
    await expect(select(await writeZip(await study({}, 'ct/')), two())).rejects.toMatchObject({
      kind: 'missing-channel',
    });
  });

  it('without folders are told apart by modality where that is enough', async () => {
    const files = [
      ...(await study({})),
      ...(await study({ kind: 'head', centre: [0, 16, -20] })).map(({ name, bytes }) => ({ name: `mr${name}`, bytes })),
    ];
    const bundle = withChannels({ name: 'anatomy', modalities: ['CT'] }, { name: 'brain', modalities: ['MR'] });
    const { input, reasons } = await select(await writeZip(files), bundle);
    expect(input.channels.map(({ name, modality }) => [name, modality])).toEqual([
      ['anatomy', 'CT'],
      ['brain', 'MR'],
    ]);
    expect(reasons.join(' ')).toMatch(/by their modality/);
    await expect(select(await writeZip(files), two())).rejects.toMatchObject({ kind: 'wrong-channels' });
  });

  it('that are optional may be missing', async () => {
    const bundle = withChannels({ name: 'ct' }, { name: 'pet', optional: true });
    const { input } = await select(await writeZip(await study({}, 'ct/')), bundle);
    expect(input.channels.map(({ name }) => name)).toEqual(['ct']);
  });

  it('come from a 4-D file in order, and from files by name or nnU-Net number', async () => {
    const { volume } = await makePhantom(SMALL);
    const other = makeVolume(
      volume.data.map((value) => -value),
      volume.size,
      volume.affine,
    );
    const inputs = [
      await writeNifti([volume, other]),
      await writeZip([
        { name: 'case_0001.nii.gz', bytes: await writeNifti(other) },
        { name: 'case_0000.nii.gz', bytes: await writeNifti(volume) },
      ]),
      await writeZip([
        { name: 'p1_flair.nrrd', bytes: await writeNrrd(other) },
        { name: 'p1_ct.nrrd', bytes: await writeNrrd(volume) },
      ]),
    ];
    for (const input of inputs) {
      const { input: found } = await select(input, two());
      expect([...found.channels[0].volume.data]).toEqual([...volume.data]);
      expect([...found.channels[1].volume.data]).toEqual([...other.data]);
    }
  });
});

describe('Folders of channels', () => {
  it('are the first of each path below what is around all', () => {
    expect(channelFolders(['ct/1', 'flair/2'], ['ct', 'flair'])).toEqual(['ct', 'flair']);
    expect(channelFolders(['x/y/ct/1', 'x/y/flair/2'], ['ct', 'flair'])).toEqual(['ct', 'flair']);
    expect(channelFolders(['ct/1', 'ct/2'], ['ct'])).toEqual(['ct', 'ct']);
    expect(channelFolders(['1', '2'], ['ct'])).toEqual(['', '']);
    expect(channelFolders([], ['ct'])).toEqual([]);
  });
});

describeWithData('ct-rtstruct-sts', 'CT, MR and PET of one patient in one zip', (path) => {
  it('are three series, and each model gets its own', async () => {
    const bundle = withChannels({ name: 'mr', modalities: ['MR'] });
    const folder = join(path, 'STS_002');
    const { reference } = await select(join(folder, 'MR_T1_dicom.zip'), bundle);
    expect(reference?.Modality).toBe('MR');
    await expect(select(join(folder, 'PET_dicom.zip'), bundle)).rejects.toMatchObject({
      kind: 'wrong-modality',
      message: expect.stringMatching(/holds PT/),
    });
  });
});
