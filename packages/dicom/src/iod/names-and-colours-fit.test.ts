/** Names fit their value representations and stay distinct; colours come back from CIELab; provenance survives odd text. */
import { describe, expect, it } from 'vitest';
import { testNow, testProvenance } from '../../../../tools/test/dicom-objects.js';
import { Dataset } from '../dataset/dataset.js';
import { lab16ToRgb, rgbToLab16 } from './colour.js';
import { addContributingEquipment, readProvenance } from './provenance.js';
import { distinctNames, plainText } from './text.js';

describe('names', () => {
  it('are numbered when they repeat, and never empty', () => {
    expect(distinctNames(['Lung', 'Lung', ' ', 'Lung (2)', 'Lung'], 'ROI')).toEqual([
      'Lung',
      'Lung (2)',
      'ROI 3',
      'Lung (2) (2)',
      'Lung (3)',
    ]);
  });
  it('have at most 64 characters, also when numbered', () => {
    const long = 'x'.repeat(100);
    const names = distinctNames([long, long, long], 'ROI');
    expect(names.map((name) => name.length)).toEqual([64, 64, 64]);
    expect(new Set(names).size).toBe(3);
    expect(names[2].endsWith(' (3)')).toBe(true);
  });
  it('lose backslashes and control characters, not letters', () => {
    expect(plainText('a\\b\u0000c\nd ä 山', 64)).toBe('a/b c d ä 山');
    expect([...plainText('𝒳'.repeat(70), 64)]).toHaveLength(64);
  });
});

describe('colours', () => {
  it('have the CIELab values of known colours', () => {
    expect(rgbToLab16([255, 255, 255])).toEqual([65535, 32896, 32896]);
    expect(rgbToLab16([0, 0, 0])).toEqual([0, 32896, 32896]);
    // sRGB red in CIELab D50: 54.29, 80.80, 69.89.
    const [l, a, b] = rgbToLab16([255, 0, 0]);
    expect((l / 65535) * 100).toBeCloseTo(54.29, 1);
    expect((a / 65535) * 255 - 128).toBeCloseTo(80.8, 1);
    expect((b / 65535) * 255 - 128).toBeCloseTo(69.89, 1);
  });
  it('come back unchanged for all of a dense set', () => {
    for (let r = 0; r < 256; r += 15)
      for (let g = 0; g < 256; g += 15)
        for (let b = 0; b < 256; b += 15) expect(lab16ToRgb(rgbToLab16([r, g, b]))).toEqual([r, g, b]);
  });
});

describe('provenance', () => {
  it('is read back, with optional fields or without', () => {
    const { codeVersion, ...least } = testProvenance;
    expect(codeVersion).toBeDefined();
    for (const provenance of [testProvenance, least, { ...least, manufacturer: 'Größe: Ltd' }]) {
      const dataset = new Dataset();
      addContributingEquipment(dataset, provenance, testNow);
      expect(readProvenance(dataset)).toEqual(provenance);
    }
  });
  it('is not found in what others made', () => {
    expect(readProvenance(new Dataset().set('SoftwareVersions', 'x:1'))).toBeUndefined();
  });
});
