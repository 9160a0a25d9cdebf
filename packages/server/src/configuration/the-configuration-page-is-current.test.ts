import { it } from 'vitest';
import { expectCurrent } from '../../../../tools/test/current-page.js';
import { configurationPage } from './reference-page.js';

it('docs/reference/configuration.md lists every setting', () => {
  expectCurrent('docs/reference/configuration.md', configurationPage());
});
