/** The table at HoleMode against fillers that real readers of contours are built on: OpenCV (rt-utils) and scikit-image. */
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { describeWithPython } from '../../../../tools/test/needs.js';
import { INSET } from './inset.js';
import type { HoleMode, LabelPlane } from './rings.js';
import { tracePlane } from './trace-plane.js';
import { AWKWARD, maskOf, planeFrom, randomPlane, seeded } from './twins.suite.js';

/** Reads [{ni, nj, rings}] from standard input, answers for each the pixels that each filler fills, as text of 0 and 1. */
const FILLERS = `
import sys, json, numpy as np, cv2
from skimage.draw import polygon2mask
def fill(case):
    ni, nj = case['ni'], case['nj']
    rings = [np.array(r).reshape(-1, 2) for r in case['rings']]
    whole = [np.around(r).astype(np.int32) for r in rings]
    out = {name: np.zeros((nj, ni), np.uint8) for name in ('OpenCV together', 'OpenCV each', 'scikit-image XOR', 'scikit-image each')}
    cv2.fillPoly(out['OpenCV together'], whole, 1)
    for ring in whole: cv2.fillPoly(out['OpenCV each'], [ring], 1)
    for ring in rings:
        mask = polygon2mask((nj, ni), ring[:, ::-1]).astype(np.uint8)
        out['scikit-image XOR'] ^= mask
        out['scikit-image each'] |= mask
    return {name: ''.join(map(str, mask.ravel())) for name, mask in out.items()}
print(json.dumps([fill(case) for case in json.load(sys.stdin)]))
`;

const random = seeded(8);
const PLANES: readonly LabelPlane[] = [
  ...Object.values(AWKWARD).map(planeFrom),
  ...Array.from({ length: 200 }, () => randomPlane(random, 20)),
];

const PROMISES: readonly [HoleMode, number, readonly string[]][] = [
  ['even-odd', 0, ['scikit-image XOR']],
  ['keyhole', 0, ['scikit-image XOR', 'scikit-image each']],
  ['separate', 0, ['scikit-image XOR', 'scikit-image each']],
  ['even-odd', INSET, ['OpenCV together', 'scikit-image XOR']],
  ['keyhole', INSET, ['OpenCV together', 'OpenCV each', 'scikit-image XOR', 'scikit-image each']],
  ['separate', INSET, ['OpenCV together', 'OpenCV each', 'scikit-image XOR', 'scikit-image each']],
];

describeWithPython(['numpy', 'cv2', 'skimage'], 'contours as other libraries fill them', (python) => {
  for (const [holes, inset, fillers] of PROMISES)
    it(`'${holes}' rings, inset ${inset}, are exact for ${fillers.join(', ')}`, () => {
      const cases = PLANES.flatMap((plane) =>
        tracePlane(plane, { holes, inset }).map(({ rings, label }) => ({
          ni: plane.ni,
          nj: plane.nj,
          rings: rings.map((ring) => [...ring]),
          mask: maskOf(plane, label).join(''),
        })),
      );
      const input = JSON.stringify(cases);
      const run = spawnSync(python, ['-c', FILLERS], { input, encoding: 'utf8', maxBuffer: 2 ** 28 });
      expect(run.stderr).toBe('');
      const answers: Record<string, string>[] = JSON.parse(run.stdout);
      expect(answers).toHaveLength(cases.length);
      for (const filler of fillers)
        expect(answers.map((answer) => answer[filler])).toEqual(cases.map(({ mask }) => mask));
    });
});
