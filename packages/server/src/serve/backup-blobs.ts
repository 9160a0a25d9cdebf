/** The blobs of this server as backup and restore see them: rows of the snapshot, bytes of the store, no images of patients. */
import { sql } from 'kysely';
import { type BlobKey, type BlobStore, blobKey } from '../blobs/blob-store.js';
import type { BackupBlob, BlobSource, BlobTarget } from '../state/backup/backup-blobs.js';
import type { Executor } from '../state/database.js';

const PAGE = 1000;
/** What stays: uploads and studies are images, and go when their job ends anyway. */
const KEPT = ['result', 'weights', 'export'] as const;

export function backupSource(store: BlobStore): BlobSource {
  return {
    async *list(snapshot: Executor) {
      for (let after = ''; ; ) {
        const rows = await snapshot
          .selectFrom('blob')
          .select(['id', 'key', 'bytes', 'sha256'])
          .where('state', '=', 'stored')
          .where('purpose', 'in', KEPT)
          .where(sql<string>`id::text`, '>', after)
          .orderBy(sql`id::text`)
          .limit(PAGE)
          .execute();
        for (const { id, key, bytes, sha256 } of rows)
          yield { id, key, bytes: Number(bytes), sha256: sha256 ?? '' } satisfies BackupBlob;
        if (rows.length < PAGE) return;
        after = rows[rows.length - 1].id;
      }
    },
    async open({ key }) {
      return (await store.head(key as BlobKey)) === undefined ? undefined : store.get(key as BlobKey);
    },
  };
}

export function backupTarget(store: BlobStore): BlobTarget {
  /** Objects that others may still use: a restore beside the running original, or a second attempt. */
  const there = new Set<string>();
  return {
    async put({ key, bytes, sha256 }, source) {
      if (await store.head(blobKey(key))) there.add(key);
      const stored = await store.put(blobKey(key), source);
      if (stored.bytes !== bytes || stored.sha256 !== sha256) throw new Error('a blob changed on its way to the store');
    },
    async discard({ key }) {
      if (!there.has(key)) await store.delete(blobKey(key));
    },
  };
}
