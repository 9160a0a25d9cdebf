/**
 * All migrations in their order. New ones go to the end; one that was released is never changed, because databases out there
 * have run it and will not run it again.
 */
import type { Kysely } from 'kysely';
import { up as state } from './0000-state.js';
import { up as audit } from './0001-audit.js';
import { up as accounts } from './0002-accounts.js';
import { up as blobs } from './0003-blobs.js';
import { up as registry } from './0004-registry.js';
import { up as jobs } from './0005-jobs.js';
import { up as rest } from './0006-rest.js';
import { up as protocols } from './0007-protocols.js';

export interface Migration {
  readonly name: string;
  readonly up: (db: Kysely<unknown>) => Promise<void>;
}

export const migrations: readonly Migration[] = [
  { name: '0000-state', up: state },
  { name: '0001-audit', up: audit },
  { name: '0002-accounts', up: accounts },
  { name: '0003-blobs', up: blobs },
  { name: '0004-registry', up: registry },
  { name: '0005-jobs', up: jobs },
  { name: '0006-rest', up: rest },
  { name: '0007-protocols', up: protocols },
];
