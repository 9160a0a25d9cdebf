import { describe, expect, it } from 'vitest';
import { METRICS_DOOR } from '../operations/metrics-route.js';
import { protocols } from './list.js';
import { protocolSuite } from './protocol.suite.js';

describe('the list of protocols', () => {
  it('has each name once, and none that is a door already', () => {
    const names = protocols.map(({ name }) => name);
    expect(new Set([...names, METRICS_DOOR, 'main']).size).toBe(names.length + 2);
  });
});

for (const protocol of protocols) protocolSuite(protocol);
