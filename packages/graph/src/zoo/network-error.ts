/** What can be wrong with a network that is asked for by name, or with weights that are brought to it. */
import { Failure } from '../errors/failure.js';

export type NetworkErrorKind = 'unknown-network' | 'wrong-argument' | 'unsupported-argument' | 'wrong-weights';

export class NetworkError extends Failure<NetworkErrorKind> {}
