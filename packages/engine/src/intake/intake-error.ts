/** Why an input cannot be given to a model. Damage of archives, files and series keeps its own error classes. */
import { Failure } from '@isocenter/volume';

export type IntakeErrorKind =
  /** Nothing in it is an image that we read. */
  | 'no-images'
  /** The model wants CT and the study is MR, or the like. */
  | 'wrong-modality'
  /** Folders (or files) are not named after the model's channels. */
  | 'wrong-channels'
  /** A channel of the model has no images. */
  | 'missing-channel'
  /** Several images fit and nothing says which is meant. */
  | 'several-images'
  /** Two files have one name in different folders, where folders do not count. */
  | 'duplicate-names'
  /** A series does not fulfil what the bundle asks of its attributes. */
  | 'constraint'
  /** Channels were not acquired in one frame of reference, so they cannot be laid over one another. */
  | 'different-space'
  /** A model of single images was given more of them than one run looks at. */
  | 'too-many-images';

export class IntakeError extends Failure<IntakeErrorKind> {}
