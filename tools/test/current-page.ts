/** Pages that are generated from the code: a test says when one is out of date, and writes it when asked to. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { repositoryRoot } from './needs.js';

/** `ISOCENTER_TEST_UPDATE=1 npx vitest run …` writes the page instead of comparing. */
export function expectCurrent(page: string, text: string): void {
  const path = join(repositoryRoot, page);
  if (process.env.ISOCENTER_TEST_UPDATE === '1') writeFileSync(path, text);
  let found = '';
  try {
    found = readFileSync(path, 'utf8');
  } catch {
    // Told below as a difference.
  }
  expect(found, `${page} is out of date: run its test once with ISOCENTER_TEST_UPDATE=1`).toBe(text);
}
