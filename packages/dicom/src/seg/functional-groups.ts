/** Functional groups and dimensions of a segmentation (PS3.3 C.7.6.16, C.7.6.17, C.8.20.3): where each frame lies and what it shows. */
import { cross, directionsOf, dot, indexToPatient, spacingOf } from '@isocenter/volume';
import { Dataset } from '../dataset/dataset.js';
import { tagOf } from '../dataset/tag.js';
import { codeItem, SEGMENTATION, SOURCE_IMAGE } from '../iod/code.js';
import { canBeNamed, imageItem } from '../iod/references.js';
import type { ReferenceSeries } from '../series/reference.js';

/** One frame to be written: slice k of a segment (1-based; absent in a label map, which shows all of them). */
export interface PlannedFrame {
  readonly k: number;
  readonly segment?: number;
}

/** What holds for all frames: orientation and pixel measures of the reference grid. */
export function sharedGroups(reference: ReferenceSeries): Dataset {
  const { affine } = reference.grid;
  const [row, column, slice] = directionsOf(affine);
  const [columnSpacing, rowSpacing, step] = spacingOf(affine);
  // Slices may be stacked along another line than their normal (gantry tilt); spacing is measured along the normal.
  const between = step * Math.abs(dot(cross(row, column), slice));
  const thickness = reference.header.numbers('SliceThickness')[0];
  const measures = new Dataset()
    .set('SliceThickness', thickness && thickness > 0 ? thickness : between)
    .set('SpacingBetweenSlices', between)
    .set('PixelSpacing', [rowSpacing, columnSpacing]);
  return new Dataset()
    .set('PlaneOrientationSequence', [new Dataset().set('ImageOrientationPatient', [...row, ...column])])
    .set('PixelMeasuresSequence', [measures]);
}

/** One item per frame. Items that repeat (position and source of a slice, a segment's number) are shared. */
export function frameGroups(frames: readonly PlannedFrame[], reference: ReferenceSeries): Dataset[] {
  const places = new Map([...new Set(frames.map(({ k }) => k))].sort((a, b) => a - b).map((k, n) => [k, n + 1]));
  const positions = new Map<number, Dataset[]>();
  const sources = new Map<number, Dataset[]>();
  for (const k of places.keys()) {
    const position = indexToPatient(reference.grid.affine, 0, 0, k);
    positions.set(k, [new Dataset().set('ImagePositionPatient', [...position])]);
    if (!canBeNamed(reference.slices[k])) continue;
    const source = imageItem(reference.slices[k])
      .set('PurposeOfReferenceCodeSequence', [codeItem(SOURCE_IMAGE)])
      .set('SpatialLocationsPreserved', 'YES');
    sources.set(k, [
      new Dataset().set('DerivationCodeSequence', [codeItem(SEGMENTATION)]).set('SourceImageSequence', [source]),
    ]);
  }
  return frames.map(({ k, segment }) => {
    const place = places.get(k) ?? 0;
    const index = segment === undefined ? [place] : [segment, place];
    const source = sources.get(k);
    const group = new Dataset();
    if (source) group.set('DerivationImageSequence', source);
    group
      .set('FrameContentSequence', [new Dataset().set('DimensionIndexValues', index)])
      .set('PlanePositionSequence', positions.get(k) ?? []);
    if (segment !== undefined)
      group.set('SegmentIdentificationSequence', [new Dataset().set('ReferencedSegmentNumber', segment)]);
    return group;
  });
}

/** Multi-frame Dimension module: frames are sorted by segment (not in a label map), then by position. */
export function addDimensions(dataset: Dataset, bySegment: boolean, organizationUID: string): void {
  const dimension = (
    pointer: 'ReferencedSegmentNumber' | 'ImagePositionPatient',
    group: 'SegmentIdentificationSequence' | 'PlanePositionSequence',
    label: string,
  ): Dataset =>
    new Dataset()
      .set('DimensionOrganizationUID', organizationUID)
      .set('DimensionIndexPointer', tagOf(pointer))
      .set('FunctionalGroupPointer', tagOf(group))
      .set('DimensionDescriptionLabel', label);
  const position = dimension('ImagePositionPatient', 'PlanePositionSequence', 'Position');
  const segment = dimension('ReferencedSegmentNumber', 'SegmentIdentificationSequence', 'Segment');
  dataset.set('DimensionOrganizationSequence', [new Dataset().set('DimensionOrganizationUID', organizationUID)]);
  dataset.set('DimensionIndexSequence', bySegment ? [segment, position] : [position]);
}
