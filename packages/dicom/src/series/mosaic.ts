/**
 * Siemens mosaic (ImageType … MOSAIC): one 2-D image that holds all slices of an EPI volume as tiles, left to right,
 * top to bottom, in a square arrangement. The number of tiles stands in a private element (0019,xx0A) of the block
 * "SIEMENS MR HEADER"; Image Position (Patient) is that of the whole sheet with the tile in its middle, so the first
 * slice begins half the difference between sheet and tile farther in.
 */
import { cross, type Vector3 } from '@isocenter/volume';
import type { Dataset } from '../dataset/dataset.js';
import type { Frame } from './frame.js';

const GROUP = 0x0019;
const CREATOR = 'SIEMENS MR HEADER';
const TILES_ELEMENT = 0x0a;
/** (0029,xx10) of "SIEMENS CSA HEADER": the scanner's own header, which says the slice normal. */
const CSA_GROUP = 0x0029;
const CSA_CREATOR = 'SIEMENS CSA HEADER';

/** One frame per tile, or the sheet itself (which the assembly refuses) when the number of tiles is not to be found. */
export function mosaicFrames(sheet: Frame): readonly Frame[] {
  const { header } = sheet.instance;
  const tiles = numberOfTiles(header);
  const { position, rowDirection, columnDirection, pixelSpacing } = sheet;
  const step = sheet.spacingBetweenSlices ?? sheet.sliceThickness;
  if (!tiles || !position || !rowDirection || !columnDirection || !pixelSpacing || !step) return [sheet];
  const across = Math.ceil(Math.sqrt(tiles));
  if (sheet.rows % across !== 0 || sheet.columns % across !== 0) return [sheet];
  const rows = sheet.rows / across;
  const columns = sheet.columns / across;
  const right = ((sheet.columns - columns) / 2) * pixelSpacing[1];
  const down = ((sheet.rows - rows) / 2) * pixelSpacing[0];
  const normal = cross(rowDirection, columnDirection);
  const sign = slicesRunAgainst(header, normal) ? -1 : 1;
  // A copy, so that what the sheet works out on demand is worked out once for all tiles.
  const common = { ...sheet };
  return Array.from({ length: tiles }, (_, tile): Frame => {
    const place = (axis: 0 | 1 | 2): number =>
      position[axis] + rowDirection[axis] * right + columnDirection[axis] * down + normal[axis] * step * tile * sign;
    return {
      ...common,
      rows,
      columns,
      tile: { row: Math.floor(tile / across) * rows, column: (tile % across) * columns },
      position: [place(0), place(1), place(2)],
    };
  });
}

/** Private elements live in a block that a creator element (gggg,00xx) reserves: PS3.5 7.8.1. */
function privateBytes(header: Dataset, group: number, creator: string, element: number): Uint8Array | undefined {
  for (let block = 0x10; block <= 0xff; block++) {
    const tag = ((group << 16) | block) >>> 0;
    if (header.has(tag) && header.string(tag) === creator)
      return header.bytes(((group << 16) | (block << 8) | element) >>> 0);
  }
  return undefined;
}

function numberOfTiles(header: Dataset): number | undefined {
  const bytes = privateBytes(header, GROUP, CREATOR, TILES_ELEMENT);
  if (bytes === undefined || bytes.length < 2) return undefined;
  const little = bytes[0] | (bytes[1] << 8);
  const count = little > 0 && little < 4096 ? little : (bytes[0] << 8) | bytes[1];
  return count > 1 && count < 4096 ? count : undefined;
}

/** The CSA field SliceNormalVector points along increasing slices; it may be the reverse of row × column. */
function slicesRunAgainst(header: Dataset, normal: Vector3): boolean {
  const csa = privateBytes(header, CSA_GROUP, CSA_CREATOR, 0x10);
  if (!csa) return false;
  const text = new TextDecoder('latin1').decode(csa);
  const at = text.indexOf('SliceNormalVector\0');
  if (at < 0) return false;
  // A field is a 64-byte name, 20 bytes of type and counts, then items of 16 bytes of lengths and padded decimal text.
  const numbers = text
    .slice(at + 64, at + 64 + 20 + 3 * 48)
    .match(/-?\d+\.\d+/g)
    ?.map(Number);
  if (!numbers || numbers.length < 3) return false;
  return numbers[0] * normal[0] + numbers[1] * normal[1] + numbers[2] * normal[2] < 0;
}
