/** The one way to a compute pool. Children start when the first task comes; `close` ends them and removes their files. */
import type { ComputePool } from './compute-pool.js';
import { Pool } from './pool.js';
import type { ComputePoolOptions } from './pool-options.js';

export function createComputePool(options: ComputePoolOptions = {}): ComputePool {
  return new Pool(options);
}
