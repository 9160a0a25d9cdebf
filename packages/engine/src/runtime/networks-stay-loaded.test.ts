/** A process that lives longer than one run loads its network once; the answers are those of a fresh one. */
import { join } from 'node:path';
import type { Volume } from '@isocenter/volume';
import { afterAll, expect, it } from 'vitest';
import { describeWithData } from '../../../../tools/test/needs.js';
import { loadBundle } from '../bundle/load-bundle.js';
import { runBundle } from '../run.js';
import { NetworkCache, warmNetwork } from './network-cache.js';
import { assembleBundle, boxOf, niftiVolume, temporaryFolder } from './test-bundles.suite.js';

describeWithData('models-meshnet', 'a cache of networks', (data) => {
  const folder = temporaryFolder();
  const networks = new NetworkCache();
  afterAll(async () => {
    await networks.close();
    folder.remove();
  });
  const weights = join(data, 'onnx/model5_gw_ae.onnx');

  it('gives the same session again, whose close leaves it open, until the cache is closed', async () => {
    const own = new NetworkCache();
    const first = await own.load(weights, { threads: 1 });
    await first.close();
    const second = await own.load(weights, { threads: 1 });
    expect(second.run).toBe(first.run);
    expect((await own.load(weights, { threads: 2 })).run).not.toBe(first.run);
    await own.close();
    await expect(second.run({})).rejects.toMatchObject({ kind: 'closed' });
  });

  it('does not remember that a file could not be loaded', async () => {
    const path = join(folder.path, 'none.onnx');
    await expect(networks.load(path)).rejects.toMatchObject({ kind: 'cannot-load' });
    await expect(networks.load(path)).rejects.toMatchObject({ kind: 'cannot-load' });
  });

  it('changes no voxel of a run', async () => {
    const bundle = await loadBundle(assembleBundle(folder.path, 'meshnet/model5_gw_ae', weights));
    const volume: Volume = boxOf(await niftiVolume(join(data, 't1_crop.nii.gz')), [80, 90, 90], [40, 36, 30]);
    const input = { channels: [{ name: 'T1', volume }] };
    await warmNetwork(bundle, networks, 1);
    const labels = [];
    for (const options of [{ threads: 1 }, { threads: 1, networks }, { threads: 1, networks }]) {
      const prediction = await runBundle(bundle, input, {}, options);
      labels.push(prediction.kind === 'segmentation' ? prediction.segmentation.layers[0].data : undefined);
    }
    expect(labels[1]).toEqual(labels[0]);
    expect(labels[2]).toEqual(labels[0]);
    expect(new Set(labels[0]).size).toBeGreaterThan(1);
  });

  it('has nothing to load for a built-in model', async () => {
    await expect(warmNetwork(await loadBundle('ct-basic'), networks)).resolves.toBeUndefined();
  });
});
