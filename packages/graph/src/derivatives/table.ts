/** Every operator that can be differentiated, with its rule. */
import { convolutionGradients } from './convolution.js';
import { elementwiseGradients } from './elementwise.js';
import { indexingGradients } from './indexing.js';
import { layoutGradients } from './layout.js';
import { matrixGradients } from './matrix.js';
import { normalizationGradients } from './normalization.js';
import { poolingGradients } from './pooling.js';
import { reductionGradients } from './reduction.js';
import type { GradientRules } from './rule.js';

export const gradientRules: GradientRules = {
  ...elementwiseGradients,
  ...convolutionGradients,
  ...poolingGradients,
  ...normalizationGradients,
  ...matrixGradients,
  ...reductionGradients,
  ...layoutGradients,
  ...indexingGradients,
};
