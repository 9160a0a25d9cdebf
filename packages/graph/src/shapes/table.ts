/** Every operator that graphs here may use, with its shape rule: what is not in this table is refused by name. */
import { convolutionShapes } from './convolution.js';
import { elementwiseShapes } from './elementwise.js';
import { indexingShapes } from './indexing.js';
import { layoutShapes } from './layout.js';
import { matrixShapes } from './matrix.js';
import { normalizationShapes } from './normalization.js';
import { poolingShapes } from './pooling.js';
import { reductionShapes } from './reduction.js';
import type { ShapeRules } from './rule.js';

export const shapeRules: ShapeRules = {
  ...elementwiseShapes,
  ...convolutionShapes,
  ...poolingShapes,
  ...normalizationShapes,
  ...matrixShapes,
  ...reductionShapes,
  ...layoutShapes,
  ...indexingShapes,
};
