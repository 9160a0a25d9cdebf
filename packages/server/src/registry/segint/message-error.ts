/** What is wrong with a protobuf message that somebody sent. */
import { Failure } from '@isocenter/volume';

export type MessageErrorKind =
  /** The bytes are no whole message of this type. */
  | 'malformed'
  /** More parts or longer texts than any real message has. */
  | 'too-large';

export class MessageError extends Failure<MessageErrorKind> {}

export function malformed(at: number, why: string): MessageError {
  return new MessageError('malformed', `This is no message of the expected type: ${why}`, {
    where: `byte ${at}`,
    next: 'Serialise the message anew from Model.proto, and send it whole.',
  });
}
