/** Convolutions over [batch, channels, space…] in one to three dimensions, weights as in PyTorch. */
import type { Value } from '../graph/value.js';
import { add } from './arithmetic.js';
import { reshape } from './layout.js';
import { transposedConvolution } from './transposed-convolution.js';
import { type PerAxis, perAxis, type WindowOptions, windowAttributes } from './windows.js';

export interface ConvOptions extends WindowOptions {
  readonly bias?: Value;
  readonly groups?: number;
}

/** `weight` [out, in / groups, kernel…]. */
export function conv(x: Value, weight: Value, { bias, groups = 1, ...window }: ConvOptions = {}): Value {
  const d = x.shape.length - 2;
  return x.graph.node('Conv', bias ? [x, weight, bias] : [x, weight], {
    kernel_shape: weight.shape.slice(2),
    ...windowAttributes(window, d),
    group: groups,
  });
}

export interface ConvTransposeOptions extends ConvOptions {
  readonly outputPadding?: PerAxis;
  /**
   * `subpixel` (usual): one convolution and a shuffle, see transposed-convolution.ts; `node`: ONNX's ConvTranspose, which is
   * shorter to read and, in ONNX Runtime on a CPU, many times slower.
   */
  readonly form?: 'subpixel' | 'node';
}

/** `weight` [in, out / groups, kernel…]. */
export function convTranspose(x: Value, weight: Value, options: ConvTransposeOptions = {}): Value {
  const { bias, groups = 1, outputPadding = 0, form = 'subpixel', ...window } = options;
  const d = x.shape.length - 2;
  const { strides, pads, dilations } = windowAttributes(window, d);
  const extra = perAxis(outputPadding, d);
  if (form === 'node')
    return x.graph.node('ConvTranspose', bias ? [x, weight, bias] : [x, weight], {
      kernel_shape: weight.shape.slice(2),
      strides,
      pads,
      dilations,
      output_padding: extra,
      group: groups,
    });
  const kernel = weight.shape.slice(2);
  const size = x.shape
    .slice(2)
    .map((n, i) => (n - 1) * strides[i] + dilations[i] * (kernel[i] - 1) + 1 + extra[i] - pads[i] - pads[i + d]);
  const y = transposedConvolution(x, weight, { strides, dilations, before: pads.slice(0, d), size, groups });
  return bias ? add(y, reshape(bias, [1, -1, ...size.map(() => 1)])) : y;
}
