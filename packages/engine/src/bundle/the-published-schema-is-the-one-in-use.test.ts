/** docs/reference/isocenter-key.schema.json is what the zod schema says, and the example bundles obey it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { repositoryRoot } from '../../../../tools/test/needs.js';
import { isocenterKeySchema } from './isocenter-key.js';
import { readMetadata } from './metadata.js';

it('the schema in docs/reference is current', () => {
  const published = JSON.parse(readFileSync(join(repositoryRoot, 'docs/reference/isocenter-key.schema.json'), 'utf8'));
  expect(z.toJSONSchema(isocenterKeySchema, { io: 'input' })).toEqual(published);
});

it('examples and shipped models have valid metadata', () => {
  const folders = ['examples/bundles', 'examples/bundles/meshnet', 'models'].map((name) => join(repositoryRoot, name));
  let checked = 0;
  for (const folder of folders)
    for (const name of readdirSync(folder)) {
      const file = join(folder, name, 'configs/metadata.json');
      let text: string;
      try {
        text = readFileSync(file, 'utf8');
      } catch {
        continue;
      }
      expect(readMetadata(JSON.parse(text), file).isocenter, file).toBeDefined();
      checked++;
    }
  expect(checked).toBeGreaterThanOrEqual(3);
});
