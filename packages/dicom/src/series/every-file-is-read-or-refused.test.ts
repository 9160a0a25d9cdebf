/** Promise: whatever file comes, the scan ends with it in exactly one list, and loading gives a volume or a Failure. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openSources } from '@isocenter/formats';
import { isFailure } from '@isocenter/volume';
import { afterAll, expect, it } from 'vitest';
import { describeWithData } from '../../../../tools/test/needs.js';
import { closeDecodePool } from '../pixel/decode-pool.js';
import { assembleSeries } from './assemble.js';
import { loadVolume } from './load.js';
import { scanSources } from './scan.js';

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}

afterAll(closeDecodePool);

for (const folder of ['dicom-stress', 'dicom-transfer-syntax'])
  describeWithData(folder, `every file of ${folder}`, (path) => {
    it('is read or refused, alone', async () => {
      const outcomes = new Map<string, number>();
      const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      for (const file of filesBelow(path)) {
        const opened = await openSources(file);
        const scan = await scanSources(opened.sources);
        const instances = new Set(scan.series.flatMap((series) => series.frames.map((frame) => frame.instance)));
        const listed = instances.size + scan.objects.length + scan.ignored.length + scan.refused.length;
        expect(listed, file).toBeGreaterThanOrEqual(Math.min(1, opened.sources.length));
        for (const object of scan.objects) count(object.kind);
        for (const refused of scan.refused) count(`refused: ${refused.failure.kind}`);
        for (const series of scan.series) {
          const assembly = assembleSeries(series, { irregular: 'longest-run', pixelSpacing: [1, 1] });
          try {
            const { volume } = await loadVolume(assembly);
            expect(volume.size.every((n) => n > 0)).toBe(true);
            count('volume');
          } catch (error) {
            expect(isFailure(error), `${file}: ${String(error)}`).toBe(true);
            if (isFailure(error)) count(`${error.kind}`);
          }
        }
        await opened.close();
      }
      expect(outcomes.get('volume')).toBeGreaterThan(20);
    });

    it('is read or refused, together, the same in any order', async () => {
      const opened = await Promise.all(filesBelow(path).map((file) => openSources(file)));
      const sources = opened.flatMap((each) => each.sources);
      const describeScan = async (list: typeof sources) => {
        const scan = await scanSources(list);
        const series = scan.series.map((each) => [each.SeriesInstanceUID, each.part?.label, each.frames.length]);
        return { series, objects: scan.objects.map((each) => each.SOPInstanceUID), refused: scan.refused.length };
      };
      const first = await describeScan(sources);
      expect(await describeScan([...sources].reverse())).toEqual(first);
      for (const each of opened) await each.close();
    });
  });
