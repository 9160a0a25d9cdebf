/** What goes to a thread that makes answers, and what comes back; types only. */
import type { Json } from './json-text.js';
import type { MaskTask } from './masks-to-answer.js';
import type { EncodedAnswer } from './messages.js';
import type { PredictionTask } from './predictions-to-answer.js';
import type { LogLevel } from './tagged-logger.js';

export type ThreadTask =
  /** To the handler of the module that the thread was started with. */
  | {
      readonly kind: 'handle';
      readonly json: Readonly<Record<string, Json>>;
      readonly parts: readonly Uint8Array[];
      readonly inputHash: string;
    }
  | ({ readonly kind: 'masks' } & MaskTask)
  | ({ readonly kind: 'predictions' } & PredictionTask);

export type ThreadMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly text: string }
  | { readonly kind: 'answer'; readonly answer: EncodedAnswer }
  | {
      readonly kind: 'failure';
      readonly failure:
        | 'inconsistent-answer'
        | 'left-out'
        | 'answer-too-large'
        | 'handler-failed'
        | 'bad-route'
        | 'no-images';
      readonly message: string;
      readonly where?: string;
      readonly next?: string;
    };

export interface ThreadData {
  /** file: URL of the handler's module; absent in a thread for what models answer. */
  readonly module?: string;
}
