/** Promise: every keyword of the generated dictionary leads to its tag and back. */
import { expect, it } from 'vitest';
import type { Keyword } from './dictionary.generated.js';
import { DICTIONARY_TEXT, REPEATING_TEXT } from './dictionary.generated.js';
import { lookUpKeyword, lookUpTag } from './dictionary.js';
import { isVR } from './vr.js';

it('keyword to tag to keyword, for all of them', () => {
  let count = 0;
  for (const line of DICTIONARY_TEXT.split('\n')) {
    const [group, ...words] = line.split(' ') as [string, ...string[]];
    for (const word of words) {
      const tag = Number.parseInt(group + word.slice(0, 4), 16);
      const entry = lookUpTag(tag);
      expect(entry?.keyword).toMatch(/^[A-Za-z]\w+$/);
      expect(isVR(entry?.vr ?? '') || entry?.vr === 'xs').toBe(true);
      expect(lookUpKeyword(entry?.keyword as Keyword)).toBe(tag);
      count++;
    }
  }
  expect(count).toBeGreaterThan(4900);
});

it('repeating groups are known at every member, private groups never', () => {
  for (const line of REPEATING_TEXT.split('\n')) {
    const [first, last] = line.split(' ').map((part) => Number.parseInt(part, 16)) as [number, number];
    const keyword = lookUpTag(first)?.keyword;
    expect(lookUpTag(last - ((last >>> 16) & 1) * 0x10000)?.keyword).toBe(keyword);
    expect(lookUpKeyword(keyword as Keyword)).toBe(first);
  }
  expect(lookUpTag(0x60013000)).toBeUndefined();
});
