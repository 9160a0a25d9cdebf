/** Orientationd: axes are reordered and flipped so that they run in the directions asked for (specs/monai.md C.2). Lossless. */
import { invertPermutation, orientationOf, parseAxisCodes, permutationBetween, permuteGrid } from '@isocenter/volume';
import type { Arguments } from './arguments.js';
import { moved, perKey } from './per-key.js';
import { applySpatial } from './spatial-step.js';
import type { Transform } from './transform.js';

export function orientation(args: Arguments): Transform {
  const keys = args.keys();
  const codes = args.flag('as_closest_canonical', false) ? 'RAS' : (args.text('axcodes') ?? '');
  if (!/^[LRAPSI]{3}$/i.test(codes))
    throw args.error('invalid-argument', `axcodes "${codes}" is not one of the 48 orientations`);
  args.only('labels', [
    ['L', 'R'],
    ['P', 'A'],
    ['I', 'S'],
  ]);
  const wanted = parseAxisCodes(codes);
  return perKey(args, keys, (entry) => {
    const permutation = permutationBetween(orientationOf(entry.tensor.affine), wanted);
    const target = permuteGrid(entry.tensor, permutation);
    const tensor = applySpatial(entry.tensor, { kind: 'permute', permutation }, target);
    return moved(entry, args.name, tensor, { kind: 'permute', permutation: invertPermutation(permutation) });
  });
}
