/** What a server needs to be able to take work. */
import { sql } from 'kysely';
import type { ReadinessCheck } from '../operations/readiness.js';
import type { Core } from './open-core.js';
import { MEGABYTE } from './units.js';

export function readinessChecks({ state, store, configuration }: Core): readonly ReadinessCheck[] {
  return [
    {
      reason: 'state-unavailable',
      check: async () => {
        await sql`select 1`.execute(state.db);
        return true;
      },
    },
    {
      reason: 'blobs-unavailable',
      check: async () => {
        for await (const _ of store.list('readiness')) break;
        return true;
      },
    },
    {
      reason: 'queue-unavailable',
      check: async () => {
        await sql`select from job limit 1`.execute(state.db);
        return true;
      },
    },
    {
      reason: 'disk-full',
      check: async () => {
        const free = await store.freeBytes?.();
        return free === undefined || free > configuration.diskReserveMegabytes * MEGABYTE;
      },
    },
  ];
}
