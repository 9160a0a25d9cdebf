import { describe, expect, it } from 'vitest';
// @ts-expect-error a plain script without types
import { layerFaults } from './layers.js';

describe('imports point one way', () => {
  it('finds no upward, sideways or private import and no text run as code', () => {
    expect(layerFaults()).toEqual([]);
  });
});
