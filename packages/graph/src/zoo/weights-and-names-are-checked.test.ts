/** What does not fit a network is said completely: names, arguments, weights. */
import { describe, expect, it } from 'vitest';
import { type Tensor, tensorOf } from '../tensor/tensor.js';
import { initialState, seededRandom } from './initial-state.js';
import { loadState, stateDictFor } from './load-state.js';
import { buildNetwork, type Network } from './network.js';
import { NetworkError } from './network-error.js';
import { networkNames, networkOf } from './registry.js';

const args = { spatial_dims: 2, in_channels: 1, out_channels: 2, channels: [2, 4], strides: [2], norm: 'batch' };
const small = (): Network => networkOf('UNet', args);
const drawn = (network: Network, seed = 1) => initialState(network, seededRandom(seed));

function failure(body: () => unknown): NetworkError {
  try {
    body();
  } catch (error) {
    if (error instanceof NetworkError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const renamed = (weights: ReadonlyMap<string, Tensor>, change: (name: string) => string) =>
  new Map([...weights].map(([name, tensor]) => [change(name), tensor]));

describe('names and arguments', () => {
  it('are taken with their path and in any case', () => {
    for (const name of ['monai.networks.nets.UNet', 'Unet', 'monai.networks.nets.unet.UNet'])
      expect(networkOf(name, args).states.length).toBe(small().states.length);
    expect(networkNames).toContain('SwinUNETR');
  });

  it('unknown networks are named, with those there are', () => {
    const error = failure(() => networkOf('monai.networks.nets.HoVerNet', {}));
    expect([error.kind, error.message, error.next]).toEqual([
      'unknown-network',
      expect.stringContaining('HoVerNet'),
      expect.stringContaining('DynUNet'),
    ]);
  });

  it('arguments that are unknown, missing, wrong or not supported are named', () => {
    expect(failure(() => networkOf('UNet', { ...args, dimensions: 2 })).message).toMatch(
      /UNet has no argument dimensions/,
    );
    const { channels: _, ...rest } = args;
    expect(failure(() => networkOf('UNet', rest)).message).toMatch(/UNet wants channels|no list/);
    expect(failure(() => networkOf('UNet', { ...args, channels: [2, -4] })).where).toBe('channels');
    expect(failure(() => networkOf('UNet', { ...args, norm: 'localresponse' })).message).toMatch(/localresponse/);
    expect(failure(() => networkOf('UNet', { ...args, norm: ['batch', { affine: false }] })).where).toBe('affine');
    expect(failure(() => networkOf('UNet', { ...args, spatial_dims: 4 })).kind).toBe('unsupported-argument');
    expect(failure(() => networkOf('SwinUNETR', { in_channels: 1, out_channels: 1, use_hyena: true })).where).toBe(
      'use_hyena',
    );
  });
});

describe('first weights', () => {
  it('are the same for the same seed, and others for another', () => {
    const [a, b, c] = [1, 1, 2].map((seed) => drawn(small(), seed));
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
  });
});

describe('loading', () => {
  it('takes what it wrote, second names included', () => {
    const network = networkOf('DynUNet', {
      spatial_dims: 2,
      in_channels: 1,
      out_channels: 2,
      kernel_size: [3, 3, 3],
      strides: [1, 2, 2],
      upsample_kernel_size: [2, 2],
      filters: [2, 2, 2],
    });
    const weights = drawn(network);
    const written = stateDictFor(network, weights);
    expect(written.size).toBe(network.states.length + network.aliases.size);
    const loaded = loadState(network, written);
    expect(loaded.weights).toEqual(weights);
    expect(loaded.ignored.every((name) => name.startsWith('skip_layers.'))).toBe(true);
    const onlySecond = new Map([...written].filter(([name]) => !network.states.some((state) => state.name === name)));
    expect(failure(() => loadState(network, onlySecond)).message).toMatch(/output_block/);
  });

  it('sees through wrappers, also where the network itself begins with such a word', () => {
    const network = small();
    const weights = drawn(network);
    for (const prefix of ['module.', 'state_dict.', 'model.', 'state_dict.module.', 'net.model.'])
      expect(
        loadState(
          network,
          renamed(weights, (name) => prefix + name),
        ),
      ).toMatchObject({ prefix, weights });
    expect(loadState(network, weights).prefix).toBe('');
  });

  it('converts other precisions and starts missing counters at 0', () => {
    const network = small();
    const weights = drawn(network);
    const doubles = new Map(
      [...weights]
        .filter(([name]) => !name.endsWith('num_batches_tracked'))
        .map(([name, { shape, data }]) => [name, tensorOf('float64', shape, Array.from(data as Float32Array))]),
    );
    expect(loadState(network, doubles).weights).toEqual(weights);
  });

  it('lists all that is missing, unexpected and of another shape', () => {
    const network = small();
    const weights = new Map(drawn(network));
    weights.delete('model.0.conv.bias');
    weights.set('epoch', tensorOf('float32', [1], [3]));
    weights.set('model.0.conv.weight', tensorOf('float32', [2, 1, 1, 3], new Float32Array(6)));
    const error = failure(() => loadState(network, weights));
    expect(error.kind).toBe('wrong-weights');
    expect(error.message).toMatch(/1 missing: model\.0\.conv\.bias/);
    expect(error.message).toMatch(/1 unexpected: epoch/);
    expect(error.message).toMatch(/model\.0\.conv\.weight \(2×1×1×3, not 2×1×3×3\)/);
    weights.delete('model.0.conv.weight');
    expect(failure(() => loadState(network, weights, { allowUnexpected: true })).message).toMatch(/2 missing/);
  });
});

describe('building', () => {
  it('declares parameters in the order of the state_dict, statistics as not learned', () => {
    const network = small();
    const { graph } = buildNetwork(network, [[1, 1, 8, 8]], { mode: 'train' });
    const floats = network.states.filter(({ dtype }) => dtype === 'float32');
    expect(graph.parameters.map(({ name }) => name)).toEqual(floats.map(({ name }) => name));
    expect(graph.parameters.filter(({ trainable }) => !trainable).map(({ name }) => name)).toEqual(
      floats.filter(({ name }) => /running_(mean|var)$/.test(name)).map(({ name }) => name),
    );
  });

  it('sizes that do not fit are refused with the network named', () => {
    const net = networkOf('SwinUNETR', { in_channels: 1, out_channels: 1, feature_size: 12 });
    expect(failure(() => buildNetwork(net, [[1, 1, 33, 32, 32]])).message).toMatch(/SwinUNETR wants sides/);
  });
});
