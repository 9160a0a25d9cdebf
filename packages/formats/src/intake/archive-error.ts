/** What can be wrong with the bytes a user hands in, before anybody looks at what they mean. */
import { Failure } from '@isocenter/volume';

export type ArchiveErrorKind =
  | 'not-found'
  | 'unreadable'
  | 'empty-folder'
  | 'empty-archive'
  | 'not-an-archive'
  | 'truncated'
  | 'corrupt'
  | 'crc-mismatch'
  | 'size-mismatch'
  | 'encrypted'
  | 'multi-disk'
  | 'too-many-entries'
  | 'entry-too-large'
  | 'total-too-large'
  | 'ratio-exceeded'
  | 'overlapping-entries'
  | 'unsafe-name'
  | 'unsupported-compression'
  | 'unsupported-entry'
  | 'spool-failed'
  | 'closed';

/** `where` is an entry's number or a byte offset, never its name: uploaded names may hold a patient's name. */
export class ArchiveError extends Failure<ArchiveErrorKind> {}
