/** Why the inferer cannot work: its settings, or a network whose answer does not have the promised shape. */
import { Failure } from '@isocenter/volume';

export type InfererErrorKind = 'invalid-argument' | 'output-mismatch' | 'too-large';

export class InfererError extends Failure<InfererErrorKind> {}
