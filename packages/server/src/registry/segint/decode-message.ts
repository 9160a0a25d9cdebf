/** Small messages: every nested part is checked before the usual decoder sees it; either all of it is right or none is taken. */
import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import { malformed } from './message-error.js';
import { MessageWalker } from './message-walker.js';

/** A family of a thousand structures has some ten thousand fields. */
const MOST_FIELDS = 1_000_000;

/** Throws MessageError `malformed`, `too-large`. */
export function decodeMessage<Desc extends DescMessage>(desc: Desc, bytes: Uint8Array): MessageShape<Desc> {
  const walker = new MessageWalker(desc, { text: bytes.length, texts: bytes.length, fields: MOST_FIELDS });
  walker.push(bytes);
  walker.end();
  try {
    return fromBinary(desc, bytes, { readUnknownFields: false });
  } catch {
    throw malformed(0, 'it cannot be decoded');
  }
}
