/** What each operator means, written as its definition and as slowly as that is: the twin of ONNX Runtime in the tests. */
import type { Node } from '../graph/node.js';
import { resizeMatrix } from '../layers/resize-matrix.js';
import { cutsOf, orderOf, padsOf } from '../shapes/layout.js';
import { reducedAxes } from '../shapes/reduction.js';
import { windowOf } from '../shapes/windows.js';
import { sizeOf } from '../tensor/shape.js';
import { numbersOf } from '../tensor/tensor.js';
import { type Arr, each, fill, read, zeros } from './array.suite.js';

type Evaluate = (node: Node, inputs: readonly Arr[]) => Arr | readonly Arr[];

const map =
  (f: (x: number, node: Node) => number): Evaluate =>
  (node, [x]) =>
    fill(x.shape, (_, at) => f(x.data[at], node));

const zip =
  (f: (...values: number[]) => number): Evaluate =>
  (node, inputs) =>
    fill(node.output.shape, (index) => f(...inputs.map((input) => read(input, index))));

/** Arithmetic of whole numbers is exact to 64 bits, with wrapping. */
const arithmetic = (real: (a: number, b: number) => number, whole: (a: bigint, b: bigint) => bigint): Evaluate => {
  const onReals = zip(real);
  const onWholes = zip((a, b) => Number(BigInt.asIntN(64, whole(BigInt(a), BigInt(b)))));
  return (node, inputs) => (node.output.dtype === 'int64' ? onWholes : onReals)(node, inputs);
};

/** Abramowitz and Stegun's series for small x, continued fraction for large: good to 1e-15. */
export function erfOf(x: number): number {
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  if (z < 2.5) {
    let term = z;
    let sum = z;
    for (let n = 1; n < 200; n++) {
      term *= (-z * z) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 120; n >= 1; n--) fraction = n / 2 / (z + fraction);
  return Math.sign(x) * (1 - Math.exp(-z * z) / ((z + fraction) * Math.sqrt(Math.PI)));
}

const softplusOf = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoidOf = (x: number): number => 1 / (1 + Math.exp(-x));

/** Sum over kernel and channels of one output element. */
const conv: Evaluate = (node, [x, w, bias]) => {
  const kernel = w.shape.slice(2);
  const { strides, dilations, pads } = windowOf(node, x.shape.slice(2), kernel);
  const perGroup = w.shape[1];
  const outPerGroup = w.shape[0] / node.number('group', 1);
  return fill(node.output.shape, ([n, o, ...place]) => {
    const group = Math.floor(o / outPerGroup);
    let sum = bias ? bias.data[o] : 0;
    each([perGroup, ...kernel], ([c, ...k]) => {
      const at = place.map((p, i) => p * strides[i] + k[i] * dilations[i] - pads[i]);
      sum += read(w, [o, c, ...k]) * inside(x, [n, group * perGroup + c, ...at]);
    });
    return sum;
  });
};

const inside = (x: Arr, index: readonly number[], outside = 0): number =>
  index.every((i, axis) => i >= 0 && i < x.shape[axis]) ? read(x, index) : outside;

const convTranspose: Evaluate = (node, [x, w, bias]) => {
  const kernel = w.shape.slice(2);
  const { strides, dilations, pads } = windowOf(node, x.shape.slice(2), kernel);
  const outPerGroup = w.shape[1];
  const inPerGroup = w.shape[0] / node.number('group', 1);
  const out = zeros(node.output.shape);
  const add = (index: readonly number[], value: number) => {
    if (index.some((i, axis) => i < 0 || i >= out.shape[axis])) return;
    out.data[index.reduce((at, i, axis) => at * out.shape[axis] + i, 0)] += value;
  };
  each(x.shape, ([n, c, ...place], at) => {
    each([outPerGroup, ...kernel], ([o, ...k]) => {
      const target = place.map((p, i) => p * strides[i] + k[i] * dilations[i] - pads[i]);
      add([n, Math.floor(c / inPerGroup) * outPerGroup + o, ...target], x.data[at] * read(w, [c, o, ...k]));
    });
  });
  if (bias)
    each(out.shape, ([, o], at) => {
      out.data[at] += bias.data[o];
    });
  return out;
};

const pool =
  (finish: (values: readonly number[], sites: readonly number[], size: number) => number) =>
  (node: Node, [x]: readonly Arr[]): Arr => {
    const kernel = node.ints('kernel_shape');
    const { strides, dilations, pads } = windowOf(node, x.shape.slice(2), kernel);
    return fill(node.outputs[0].shape, ([n, c, ...place]) => {
      const values: number[] = [];
      const sites: number[] = [];
      each(kernel, (k) => {
        const index = [n, c, ...place.map((p, i) => p * strides[i] + k[i] * dilations[i] - pads[i])];
        if (index.some((i, axis) => i < 0 || i >= x.shape[axis])) return;
        values.push(read(x, index));
        sites.push(index.reduce((at, i, axis) => at * x.shape[axis] + i, 0));
      });
      const counted = node.number('count_include_pad', 0) === 1 ? sizeOf(kernel) : values.length;
      return finish(values, sites, counted);
    });
  };

const maxPool: Evaluate = (node, inputs) => [
  pool((values) => Math.max(...values))(node, inputs),
  pool((values, sites) => sites[values.indexOf(Math.max(...values))])(node, inputs),
];

const reduce =
  (start: number, join: (sum: number, x: number) => number, finish = (sum: number, _count: number) => sum): Evaluate =>
  (node, [x]) => {
    const axes = reducedAxes(node);
    const kept = x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
    const out = zeros(kept);
    out.data.fill(start);
    each(x.shape, (index, at) => {
      const to = index.reduce((sum, i, axis) => sum * kept[axis] + (axes.includes(axis) ? 0 : i), 0);
      out.data[to] = join(out.data[to], x.data[at]);
    });
    const count = sizeOf(x.shape) / sizeOf(kept);
    return { shape: node.output.shape, data: out.data.map((sum) => finish(sum, count)) };
  };

/** Normalises x over the axes that `alike` says belong together. */
function normalise(x: Arr, epsilon: number, key: (index: readonly number[]) => string): Arr {
  const groups = new Map<string, number[]>();
  each(x.shape, (index, at) => groups.set(key(index), [...(groups.get(key(index)) ?? []), x.data[at]]));
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const statistics = new Map(
    [...groups].map(([name, values]) => {
      const centre = mean(values);
      return [name, [centre, Math.sqrt(mean(values.map((v) => (v - centre) ** 2)) + epsilon)]];
    }),
  );
  return fill(x.shape, (index, at) => {
    const [centre, deviation] = statistics.get(key(index)) as number[];
    return (x.data[at] - centre) / deviation;
  });
}

const alongSoftmax =
  (finish: (x: number, max: number, sum: number) => number): Evaluate =>
  (node, [x]) => {
    const axis = node.axis(node.number('axis', -1), x.shape.length);
    return fill(x.shape, (index, at) => {
      const line = Array.from({ length: x.shape[axis] }, (_, i) => read(x, index.with(axis, i)));
      const max = Math.max(...line);
      return finish(
        x.data[at],
        max,
        line.reduce((sum, v) => sum + Math.exp(v - max), 0),
      );
    });
  };

const matMul: Evaluate = (node, [a, b]) =>
  fill(node.output.shape, (index) => {
    const [row, column] = index.slice(-2);
    const lead = index.slice(0, -2);
    let sum = 0;
    for (let k = 0; k < a.shape[a.shape.length - 1]; k++)
      sum += read(a, [...lead, row, k]) * read(b, [...lead, k, column]);
    return sum;
  });

const gemm: Evaluate = (node, [a, b, c]) =>
  fill(node.output.shape, ([row, column]) => {
    const [transA, transB] = [node.number('transA', 0), node.number('transB', 0)];
    let sum = 0;
    for (let k = 0; k < a.shape[transA ? 0 : 1]; k++)
      sum += read(a, transA ? [k, row] : [row, k]) * read(b, transB ? [column, k] : [k, column]);
    return node.number('alpha', 1) * sum + (c ? node.number('beta', 1) * read(c, [row, column]) : 0);
  });

const resize: Evaluate = (node, [x]) =>
  x.shape.reduce((value, n, axis) => {
    if (node.output.shape[axis] === n) return value;
    const matrix = resizeMatrix(node, axis);
    const shape = value.shape.with(axis, matrix.length);
    return fill(shape, (index) =>
      matrix[index[axis]].reduce(
        (sum, weight, i) => (weight === 0 ? sum : sum + weight * read(value, index.with(axis, i))),
        0,
      ),
    );
  }, x);

const pad: Evaluate = (node, [x, , value]) => {
  const pads = padsOf(node);
  const mode = node.text('mode', 'constant');
  return fill(node.output.shape, (index) => {
    const source = index.map((i, axis) => i - pads[axis][0]);
    if (mode === 'constant') return inside(x, source, value ? value.data[0] : 0);
    return read(
      x,
      source.map((i, axis) => {
        const last = x.shape[axis] - 1;
        if (mode === 'edge') return Math.min(Math.max(i, 0), last);
        return i < 0 ? -i : i > last ? 2 * last - i : i;
      }),
    );
  });
};

const concat: Evaluate = (node, inputs) => {
  const axis = node.axis(node.number('axis'), node.output.shape.length);
  return fill(node.output.shape, (index) => {
    let at = index[axis];
    for (const input of inputs) {
      if (at < input.shape[axis]) return read(input, index.with(axis, at));
      at -= input.shape[axis];
    }
    return Number.NaN;
  });
};

const split: Evaluate = (node, [x]) => {
  const axis = node.axis(node.number('axis', 0), x.shape.length);
  let start = 0;
  return node.outputs.map(({ shape }) => {
    const from = start;
    start += shape[axis];
    return fill(shape, (index) => read(x, index.with(axis, index[axis] + from)));
  });
};

const slice: Evaluate = (node, [x]) => {
  const cuts = cutsOf(node);
  return fill(node.output.shape, (index) => {
    const source = [...index];
    for (const { axis, start, step } of cuts) source[axis] = start + index[axis] * step;
    return read(x, source);
  });
};

const gather: Evaluate = (node, [x, indexes]) => {
  const axis = node.axis(node.number('axis', 0), x.shape.length);
  const picked = indexes.shape.length;
  return fill(node.output.shape, (index) => {
    const i = indexes.shape.length === 0 ? indexes.data[0] : read(indexes, index.slice(axis, axis + picked));
    return read(x, [...index.slice(0, axis), i < 0 ? i + x.shape[axis] : i, ...index.slice(axis + picked)]);
  });
};

const place =
  (target: (index: readonly number[], indexes: Arr, node: Node) => readonly number[]): Evaluate =>
  (node, [x, indexes, updates]) => {
    const out = fill(x.shape, (_, at) => x.data[at]);
    const adds = node.text('reduction', 'none') === 'add';
    each(updates.shape, (index, at) => {
      const to = target(index, indexes, node).reduce((sum, i, axis) => sum * x.shape[axis] + i, 0);
      out.data[to] = updates.data[at] + (adds ? out.data[to] : 0);
    });
    return out;
  };

const elementwise: Record<string, Evaluate> = {
  Identity: map((x) => x),
  Neg: map((x) => -x),
  Abs: map(Math.abs),
  Sign: map(Math.sign),
  Exp: map(Math.exp),
  Log: map(Math.log),
  Sqrt: map(Math.sqrt),
  Reciprocal: map((x) => 1 / x),
  Sin: map(Math.sin),
  Cos: map(Math.cos),
  Floor: map(Math.floor),
  Ceil: map(Math.ceil),
  Round: map((x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x))),
  Erf: map(erfOf),
  Relu: map((x) => Math.max(x, 0)),
  LeakyRelu: map((x, node) => (x > 0 ? x : node.number('alpha', 0.01) * x)),
  Elu: map((x, node) => (x > 0 ? x : node.number('alpha', 1) * Math.expm1(x))),
  Sigmoid: map(sigmoidOf),
  Tanh: map(Math.tanh),
  Softplus: map(softplusOf),
  Mish: map((x) => x * Math.tanh(softplusOf(x))),
  HardSigmoid: map((x, node) => Math.min(1, Math.max(0, node.number('alpha', 0.2) * x + node.number('beta', 0.5)))),
  HardSwish: map((x) => x * Math.min(1, Math.max(0, x / 6 + 0.5))),
  Not: map((x) => 1 - x),
  Cast: (node, [x]) =>
    fill(x.shape, (_, at) => {
      const { dtype } = node.output;
      if (dtype === 'bool') return x.data[at] === 0 ? 0 : 1;
      return dtype === 'int64' || dtype === 'int32' ? Math.trunc(x.data[at]) : x.data[at];
    }),
  Add: arithmetic(
    (a, b) => a + b,
    (a, b) => a + b,
  ),
  Sub: arithmetic(
    (a, b) => a - b,
    (a, b) => a - b,
  ),
  Mul: arithmetic(
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  Div: arithmetic(
    (a, b) => a / b,
    (a, b) => a / b,
  ),
  Mod: zip((a, b) => a - b * Math.floor(a / b)),
  BitwiseAnd: arithmetic(
    () => Number.NaN,
    (a, b) => a & b,
  ),
  BitwiseXor: arithmetic(
    () => Number.NaN,
    (a, b) => a ^ b,
  ),
  Pow: zip((a, b) => a ** b),
  Max: zip(Math.max),
  Min: zip(Math.min),
  Sum: zip((...all) => all.reduce((a, b) => a + b, 0)),
  Greater: zip((a, b) => (a > b ? 1 : 0)),
  Less: zip((a, b) => (a < b ? 1 : 0)),
  GreaterOrEqual: zip((a, b) => (a >= b ? 1 : 0)),
  LessOrEqual: zip((a, b) => (a <= b ? 1 : 0)),
  Equal: zip((a, b) => (a === b ? 1 : 0)),
  And: zip((a, b) => a * b),
  Or: zip((a, b) => Math.max(a, b)),
  Xor: zip((a, b) => (a === b ? 0 : 1)),
  PRelu: zip((x, slope) => (x > 0 ? x : slope * x)),
  Where: zip((condition, a, b) => (condition ? a : b)),
  Clip: (_, [x, low, high]) =>
    fill(x.shape, (__, at) => Math.min(Math.max(x.data[at], low?.data[0] ?? -Infinity), high?.data[0] ?? Infinity)),
};

const reductions: Record<string, Evaluate> = {
  ReduceSum: reduce(0, (sum, x) => sum + x),
  ReduceMean: reduce(
    0,
    (sum, x) => sum + x,
    (sum, count) => sum / count,
  ),
  ReduceMax: reduce(-Infinity, Math.max),
  ReduceMin: reduce(Infinity, Math.min),
  ReduceSumSquare: reduce(0, (sum, x) => sum + x * x),
  ArgMax: (node, [x]) => {
    const axis = node.axis(node.number('axis', 0), x.shape.length);
    const kept = fill(x.shape.with(axis, 1), (index) => {
      const line = Array.from({ length: x.shape[axis] }, (_, i) => read(x, index.with(axis, i)));
      return line.indexOf(Math.max(...line));
    });
    return { shape: node.output.shape, data: kept.data };
  },
};

const reshaped: Evaluate = (node, [x]) => ({ shape: node.output.shape, data: x.data });

const layout: Record<string, Evaluate> = {
  Reshape: reshaped,
  Flatten: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Transpose: (node, [x]) => {
    const order = orderOf(node);
    return fill(node.output.shape, (index) =>
      read(
        x,
        order.map((_, axis) => index[order.indexOf(axis)]),
      ),
    );
  },
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
  Expand: zip((x) => x),
  Tile: (node, [x]) =>
    fill(node.output.shape, (index) =>
      read(
        x,
        index.map((i, axis) => i % x.shape[axis]),
      ),
    ),
  ConstantOfShape: (node) => {
    const { value } = node.attributes;
    return fill(node.output.shape, () => (typeof value === 'object' && 'dtype' in value ? numbersOf(value)[0] : 0));
  },
  Gather: gather,
  GatherElements: (node, [x, indexes]) => {
    const axis = node.axis(node.number('axis', 0), x.shape.length);
    return fill(indexes.shape, (index, at) => read(x, index.with(axis, indexes.data[at])));
  },
  ScatterElements: place((index, indexes, node) =>
    index.with(node.axis(node.number('axis', 0), index.length), read(indexes, index)),
  ),
  ScatterND: place((index, indexes) => {
    const lead = indexes.shape.length - 1;
    const depth = indexes.shape[lead];
    const head = Array.from({ length: depth }, (_, k) => read(indexes, [...index.slice(0, lead), k]));
    return [...head, ...index.slice(lead)];
  }),
};

const norms: Record<string, Evaluate> = {
  Softmax: alongSoftmax((x, max, sum) => Math.exp(x - max) / sum),
  LogSoftmax: alongSoftmax((x, max, sum) => x - max - Math.log(sum)),
  InstanceNormalization: (node, [x, scale, bias]) => {
    const y = normalise(x, node.number('epsilon', 1e-5), ([n, c]) => `${n} ${c}`);
    return fill(x.shape, (index, at) => y.data[at] * scale.data[index[1]] + bias.data[index[1]]);
  },
  LayerNormalization: (node, [x, scale, bias]) => {
    const axis = node.axis(node.number('axis', -1), x.shape.length);
    const y = normalise(x, node.number('epsilon', 1e-5), (index) => index.slice(0, axis).join());
    return fill(x.shape, (index, at) => y.data[at] * read(scale, index) + (bias ? read(bias, index) : 0));
  },
  BatchNormalization: (node, [x, scale, bias, mean, variance]) =>
    fill(x.shape, ([, c], at) => {
      const deviation = Math.sqrt(variance.data[c] + node.number('epsilon', 1e-5));
      return ((x.data[at] - mean.data[c]) / deviation) * scale.data[c] + bias.data[c];
    }),
};

export const evaluators: Readonly<Record<string, Evaluate>> = {
  ...elementwise,
  ...reductions,
  ...layout,
  ...norms,
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: maxPool,
  AveragePool: pool((values, _, counted) => values.reduce((a, b) => a + b, 0) / counted),
  GlobalAveragePool: (node, [x]) => {
    const size = sizeOf(x.shape.slice(2));
    return fill(
      node.output.shape,
      (_, at) => x.data.slice(at * size, (at + 1) * size).reduce((a, b) => a + b, 0) / size,
    );
  },
  GlobalMaxPool: (node, [x]) => {
    const size = sizeOf(x.shape.slice(2));
    return fill(node.output.shape, (_, at) => Math.max(...x.data.slice(at * size, (at + 1) * size)));
  },
  MatMul: matMul,
  Gemm: gemm,
  Resize: resize,
};
