/** Promise: a message that is checked while it streams costs bounded memory, whatever it is made of. */
import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { MessageWalker } from './message-walker.js';
import { ModelInputSchema } from './messages/Model.generated.js';

const LONGEST = 64 * 1024;
const channel = (id: string) => toBinary(ModelInputSchema, create(ModelInputSchema, { Channels: [{ ChannelID: id }] }));

describe('a ModelInput', () => {
  it('of many channels with long ids is refused before their texts fill the memory', () => {
    const walker = new MessageWalker(ModelInputSchema);
    const one = channel('x'.repeat(LONGEST));
    const most = 1000;
    let taken = 0;
    expect(() => {
      for (; taken < most; taken++) walker.push(one);
    }).toThrow(expect.objectContaining({ kind: 'too-large', message: expect.stringContaining('bytes of texts') }));
    expect(taken * LONGEST).toBeLessThanOrEqual(4 * 1024 * 1024);
  });

  it('of some hundred channels with ids as they are is taken', () => {
    const walker = new MessageWalker(ModelInputSchema);
    for (let n = 0; n < 500; n++) walker.push(channel(`channel ${n}`));
    walker.end();
    expect(walker.outline.Channels).toHaveLength(500);
  });
});
