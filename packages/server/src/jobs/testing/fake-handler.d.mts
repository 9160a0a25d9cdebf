import type { JobHandler } from '../job-handler.js';

export function fakeHandler(options?: {
  readonly kind?: string;
  readonly journal?: string;
  readonly steps?: JobHandler['steps'];
}): JobHandler;
