/** What every runtime promises, whatever executes the network. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NetworkRuntime, NetworkTensor } from './network-runtime.js';

export interface KnownNetwork {
  readonly open: () => Promise<NetworkRuntime>;
  readonly input: string;
  readonly output: string;
  /** A question and its reference answer. */
  readonly question: NetworkTensor;
  readonly answer: NetworkTensor;
  readonly tolerance: number;
}

export function networkRuntimeSuite(name: string, network: KnownNetwork): void {
  describe(`the runtime ${name}`, () => {
    let runtime: NetworkRuntime;
    beforeAll(async () => {
      runtime = await network.open();
    });
    afterAll(() => runtime.close());

    it('tells what the network wants and gives', () => {
      expect(runtime.inputs.map((port) => port.name)).toEqual([network.input]);
      expect(runtime.outputs.map((port) => port.name)).toEqual([network.output]);
      expect(runtime.inputs[0].dims).toHaveLength(network.question.dims.length);
      expect(runtime.threads).toBeGreaterThan(0);
    });

    it('answers as the reference does, and twice the same bit for bit', async () => {
      const [first, second] = [await ask(), await ask()];
      expect([...first.dims]).toEqual([...network.answer.dims]);
      let worst = 0;
      for (let n = 0; n < first.data.length; n++)
        worst = Math.max(worst, Math.abs(first.data[n] - network.answer.data[n]));
      expect(worst).toBeLessThan(network.tolerance);
      expect(Buffer.compare(Buffer.from(first.data.buffer), Buffer.from(second.data.buffer))).toBe(0);
    });

    it('refuses unknown and missing inputs and shapes that do not fit, each by its kind', async () => {
      const { question } = network;
      await expect(runtime.run({ [network.input]: question, other: question })).rejects.toMatchObject({
        kind: 'unknown-input',
      });
      await expect(runtime.run({})).rejects.toMatchObject({ kind: 'missing-input' });
      const flat = { data: question.data, dims: [question.data.length] };
      await expect(runtime.run({ [network.input]: flat })).rejects.toMatchObject({ kind: 'shape-mismatch' });
    });

    it('runs no more once it is closed, and may be closed twice', async () => {
      const other = await network.open();
      await other.close();
      await other.close();
      await expect(other.run({ [network.input]: network.question })).rejects.toMatchObject({ kind: 'closed' });
    });

    const ask = async () => (await runtime.run({ [network.input]: network.question }))[network.output];
  });
}
