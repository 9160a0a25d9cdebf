/** What a backup file says about itself: schema version, tables, blobs, and the SHA-256 of every part. */
import { z } from 'zod';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const name = z.string().min(1).max(200);

export const partSchema = z.strictObject({ name, bytes: z.int().min(0), sha256 });
export type Part = z.infer<typeof partSchema>;

const tableSchema = z.strictObject({
  name,
  columns: z.array(name),
  rows: z.int().min(0),
  /** Lines of JSON: one array per row, each value as PostgreSQL writes it as text, or null. */
  parts: z.array(partSchema),
});
export type TableEntry = z.infer<typeof tableSchema>;

const blobSchema = z.strictObject({
  id: z.uuid(),
  key: name,
  bytes: z.int().min(0),
  sha256,
  /** Its bytes are those of all parts, one after the other. */
  parts: z.array(partSchema),
});
export type BlobEntry = z.infer<typeof blobSchema>;

export const manifestSchema = z.strictObject({
  format: z.literal('isocenter-backup'),
  version: z.literal(1),
  createdAt: z.iso.datetime(),
  installationId: z.uuid(),
  /** In their order; the schema that the tables have. */
  migrations: z.array(name).min(1),
  tables: z.array(tableSchema),
  sequences: z.array(z.strictObject({ name, last: z.string().regex(/^-?\d+$/), called: z.boolean() })),
  blobs: z.array(blobSchema),
  /** Ids of blobs that were erased while the backup ran, or whose bytes no longer have their hash. */
  missing: z.array(z.uuid()),
  damaged: z.array(z.uuid()),
});
export type Manifest = z.infer<typeof manifestSchema>;

export const MANIFEST = 'manifest.json';
/** SHA-256 of the manifest, in hexadecimal. */
export const MANIFEST_HASH = 'manifest.sha256';
