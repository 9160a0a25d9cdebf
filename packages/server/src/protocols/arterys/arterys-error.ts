/** What can be wrong with an Arterys request, and with what an integrator's handler answers. */
import { Failure } from '@isocenter/volume';

export type ArterysErrorKind =
  /** The body is not multipart/related (HTTP 400, as upstream has it). */
  | 'not-related'
  /** No first part with the JSON, or it is none. */
  | 'no-json'
  | 'bad-json'
  | 'bad-charset'
  /** JSON with a path on the server in place of images: upstream refuses it, and so do we. */
  | 'study-path'
  /** None of the parts is an image that the model could take. */
  | 'no-images'
  /** The series has images that the model's volume has not: a mask could not be laid on all of them. */
  | 'left-out'
  /** One mask a structure would be more than the memory of the server. */
  | 'answer-too-large'
  /** The handler's answer contradicts itself: it is not sent (500). */
  | 'inconsistent-answer'
  /** The handler threw, ended its thread, or never answered (500). */
  | 'handler-failed'
  | 'handler-time-limit'
  /** As many requests wait or lie in memory as may (503). */
  | 'busy'
  /** A configured route names no model or no handler that is there (500). */
  | 'bad-route';

export class ArterysError extends Failure<ArterysErrorKind> {
  readonly retryAfterSeconds = this.kind === 'busy' ? 2 : undefined;
}
