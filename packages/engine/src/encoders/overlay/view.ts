/**
 * Cuts through a grid along the patient's planes (nearest axes for an oblique grid), as radiologists hang them: axial
 * seen from the feet, coronal from the front, sagittal from the patient's left with the face to the left.
 */
import { type Grid, orientationOf, spacingOf } from '@isocenter/volume';

export type ViewPlane = 'axial' | 'coronal' | 'sagittal';

/** LPS axes that run to the right and downwards in each picture, and whether against the axis. */
const HANGING: Record<
  ViewPlane,
  {
    right: number;
    down: number;
    through: number;
    downNegative: boolean;
    letters: readonly [string, string, string, string];
  }
> = {
  axial: { right: 0, down: 1, through: 2, downNegative: false, letters: ['R', 'L', 'A', 'P'] },
  coronal: { right: 0, down: 2, through: 1, downNegative: true, letters: ['R', 'L', 'H', 'F'] },
  sagittal: { right: 1, down: 2, through: 0, downNegative: true, letters: ['A', 'P', 'H', 'F'] },
};

export interface View {
  readonly plane: ViewPlane;
  /** Voxel axes (0 = i, 1 = j, 2 = k) to the right, downwards and through the picture. */
  readonly right: number;
  readonly down: number;
  readonly through: number;
  /** Index runs against the picture's direction. */
  readonly rightFlip: boolean;
  readonly downFlip: boolean;
  /** Size of the whole cut in mm. */
  readonly widthMm: number;
  readonly heightMm: number;
  /** At the left, right, upper and lower edge. */
  readonly letters: readonly [string, string, string, string];
}

export function viewOf(grid: Grid, plane: ViewPlane): View {
  const { axis, negative } = orientationOf(grid.affine);
  const spacing = spacingOf(grid.affine);
  const hanging = HANGING[plane];
  const right = axis.indexOf(hanging.right);
  const down = axis.indexOf(hanging.down);
  return {
    plane,
    right,
    down,
    through: axis.indexOf(hanging.through),
    rightFlip: negative[right],
    downFlip: negative[down] !== hanging.downNegative,
    widthMm: grid.size[right] * spacing[right],
    heightMm: grid.size[down] * spacing[down],
    letters: hanging.letters,
  };
}
