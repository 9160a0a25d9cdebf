/** The order of versions: numbers as numbers, pre-releases before their release, never a contradiction. */
import { expect, it } from 'vitest';
import { compareVersions, majorMinorOf, parseAddress } from './addresses.js';

const ascending = [
  '0.1',
  '0.9',
  '0.10',
  '1-alpha',
  '1-alpha.1',
  '1-beta',
  '1-rc.2',
  '1-rc.10',
  '1.0',
  '1.0.1',
  '1.2.0',
  '1.10.0',
  '2a',
  '10',
  '1729',
  '99999999999999999999',
];

it('is the same for every pair, both ways', () => {
  for (const [i, a] of ascending.entries())
    for (const [j, b] of ascending.entries())
      expect([a, b, Math.sign(compareVersions(a, b))]).toEqual([a, b, Math.sign(i - j)]);
});

it('does not care for trailing zeros, a leading v and build marks', () => {
  for (const [a, b] of [
    ['1', '1.0.0'],
    ['v1.2', '1.2'],
    ['1.2+build.7', '1.2+build.9'],
    ['01.02', '1.2'],
  ])
    expect(compareVersions(a, b), `${a} ${b}`).toBe(0);
});

it('gives the old protocol its two numbers', () => {
  expect(majorMinorOf('1.2.3')).toEqual({ major: 1, minor: 2 });
  expect(majorMinorOf('v10')).toEqual({ major: 10, minor: 0 });
  expect(majorMinorOf('abc')).toEqual({ major: 0, minor: 0 });
});

it('takes addresses apart, and only addresses', () => {
  expect(parseAddress('a')).toEqual({ name: 'a' });
  expect(parseAddress('a:1.0+b')).toEqual({ name: 'a', version: '1.0+b' });
  for (const none of ['', ':1', 'a:', 'a:b:c', 'a/b', '.a', 'a:..', 'ä'])
    expect(parseAddress(none), none).toBeUndefined();
});
