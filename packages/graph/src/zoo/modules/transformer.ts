/** Parts of vision transformers over tokens [batch, tokens, channels]: attention with joint q, k, v, and the MLP behind it. */
import type { Value } from '../../graph/value.js';
import { gelu } from '../../layers/activations.js';
import { reshape, split, transpose } from '../../layers/layout.js';
import type { Layer } from '../network.js';
import type { States } from '../states.js';
import { linearModule } from './convolution.js';
import { dropoutModule } from './dropout.js';
import { chain } from './sequence.js';

export interface TransformerMlp {
  readonly channels: number;
  readonly hidden: number;
  readonly dropout: number;
}

export function transformerMlp(at: States, { channels, hidden, dropout }: TransformerMlp): Layer {
  return chain([
    linearModule(at.under('linear1'), { from: channels, to: hidden }),
    (x) => at.under('fn').within(x.graph, () => gelu(x)),
    dropoutModule(at.under('drop1'), { probability: dropout }),
    linearModule(at.under('linear2'), { from: hidden, to: channels }),
    dropoutModule(at.under('drop2'), { probability: dropout }),
  ]);
}

/** [batch, tokens, 3 · channels] as query, key and value, each [batch, heads, tokens, channels / heads]. */
export function queryKeyValue(x: Value, heads: number): readonly Value[] {
  const [batch, tokens, triple] = x.shape;
  const channels = triple / 3;
  return split(x, [channels, channels, channels], 2).map((part) =>
    transpose(reshape(part, [batch, tokens, heads, channels / heads]), [0, 2, 1, 3]),
  );
}

/** Heads side by side again: [batch, heads, tokens, d] to [batch, tokens, heads · d]. */
export function joinHeads(x: Value): Value {
  const [batch, heads, tokens, d] = x.shape;
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, tokens, heads * d]);
}
