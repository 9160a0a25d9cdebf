/** Palette colour (PS3.3 C.7.6.3.1.5 and .6): index to RGB through the three tables, always inside their bounds. */
import type { Dataset } from '../dataset/dataset.js';
import type { Keyword } from '../dataset/dictionary.generated.js';
import { DicomError } from '../dataset/errors.js';

const FULL_TABLE = 65536;

interface Channel {
  readonly firstIndex: number;
  /** Eight bits each. */
  readonly values: Uint8Array;
}

function readChannel(dataset: Dataset, colour: 'Red' | 'Green' | 'Blue'): Channel {
  const descriptor = dataset.numbers(`${colour}PaletteColorLookupTableDescriptor`);
  const keyword: Keyword = `${colour}PaletteColorLookupTableData`;
  const data = dataset.bytes(keyword);
  const [declared, firstIndex, bits] = descriptor;
  if (declared === undefined || firstIndex === undefined || !data?.length)
    throw new DicomError('missing-attribute', `The image has no ${keyword}, or no descriptor of it.`, {
      where: keyword,
    });
  // The first number is US whatever the VR says; 0 means 65536.
  const entries = declared === 0 ? FULL_TABLE : declared < 0 ? declared + FULL_TABLE : declared;
  // 8-bit tables may be stored as bytes or as words; the length tells which.
  const wide = bits === 16 || data.length >= entries * 2;
  if (data.length < entries * (wide ? 2 : 1))
    throw new DicomError('truncated', `${keyword} has ${data.length} bytes for ${entries} entries.`, {
      where: keyword,
    });
  const values = new Uint8Array(entries);
  const high = dataset.littleEndian ? 1 : 0;
  const take = bits === 16 ? high : 1 - high;
  for (let i = 0; i < entries; i++) values[i] = (wide ? data[2 * i + take] : data[i]) as number;
  return { firstIndex, values };
}

/**
 * RGB, colour interleaved, 8 bits, of palette `indices`. Indices below the first or above the last entry take that entry,
 * as the standard asks. Throws DicomError 'missing-attribute', 'truncated' or 'unsupported-pixels' (segmented tables).
 */
export function applyPalette(dataset: Dataset, indices: ArrayLike<number>): Uint8Array {
  if (dataset.has('SegmentedRedPaletteColorLookupTableData') && !dataset.has('RedPaletteColorLookupTableData'))
    throw new DicomError('unsupported-pixels', 'Segmented palettes are not supported.', {
      where: 'SegmentedRedPaletteColorLookupTableData',
    });
  const rgb = new Uint8Array(indices.length * 3);
  (['Red', 'Green', 'Blue'] as const).forEach((colour, channel) => {
    const { firstIndex, values } = readChannel(dataset, colour);
    const last = values.length - 1;
    for (let i = 0; i < indices.length; i++) {
      const index = (indices[i] as number) - firstIndex;
      rgb[3 * i + channel] = values[index < 0 ? 0 : index > last ? last : index] as number;
    }
  });
  return rgb;
}
