/** A registry for tests: a fresh database, real blobs on a file store, the real audit log, bundles in a temporary folder. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shippedModels } from '@isocenter/engine';
import { Failure } from '@isocenter/volume';
import { sql } from 'kysely';
import type { Actor } from '../accounts/actor.js';
import { type TestBlobs, tableAudit, testBlobs } from '../blobs/test-blobs.suite.js';
import { openRegistry, type RegistryOptions } from './open-registry.js';
import type { Registry } from './registry.js';

export const SCIENTIST: Actor = Object.freeze({ kind: 'person', id: 'p7', name: 'Scientist', role: 'data-scientist' });

export interface TestRegistry extends TestBlobs {
  readonly registry: Registry;
  readonly cacheFolder: string;
  /** Another server or worker on the same database and store. */
  open(options?: Partial<RegistryOptions>): Promise<Registry>;
  /** Keys of blobs that are stored. */
  storedBlobs(): Promise<number>;
  /** Rows in the registry's tables that do not come from the program. */
  addedRows(): Promise<number>;
  actions(): Promise<readonly string[]>;
}

export async function testRegistry(options: Partial<RegistryOptions> = {}): Promise<TestRegistry> {
  const blobs = await testBlobs();
  const cacheFolder = join(blobs.folder, 'model-cache');
  const usual: RegistryOptions = {
    db: blobs.db,
    blobs: blobs.blobs,
    audit: tableAudit(blobs.db),
    cacheFolder,
    shippedModels,
    onnx: { checkTimeMs: 60_000 },
  };
  const open = (others: Partial<RegistryOptions> = {}) => openRegistry({ ...usual, ...options, ...others });
  return {
    ...blobs,
    registry: await open(),
    cacheFolder,
    open,
    storedBlobs: async () => {
      let count = 0;
      for await (const _ of blobs.store.list('')) count++;
      return count;
    },
    addedRows: async () => {
      const { rows } = await sql<{ n: string }>`
        select (select count(*) from model_version where origin = 'added')
          + (select count(*) from model_family f where not exists (select 1 from model_version v where v.family_id = f.id)) as n
      `.execute(blobs.db);
      return Number(rows[0].n);
    },
    actions: async () => (await blobs.audited()).map(({ action }) => action),
  };
}

export function scratch(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'isocenter-registry-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export interface BundleParts {
  readonly name?: string;
  readonly version?: string;
  /** Merged into the `isocenter` key. */
  readonly isocenter?: object;
  readonly metadata?: object;
  readonly inference?: object;
  /** Further files, by path. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

/** A bundle whose algorithm is the program's own Phantom, so that it runs without weights. */
export function writeBundle(folder: string, parts: BundleParts = {}): string {
  const { name = 'boxes', version = '1.0.0' } = parts;
  const metadata = {
    version,
    name: 'Boxes',
    description: 'Finds boxes',
    ...parts.metadata,
    isocenter: {
      name,
      channels: [{ name: 'ct', modalities: ['CT'], units: 'HU' }],
      structures: [
        {
          label: 1,
          name: 'Box',
          colour: [255, 0, 10],
          interpretedType: 'ORGAN',
          code: { value: '7197', scheme: 'FMA', meaning: 'Liver' },
        },
        { label: 2, name: 'Skin', colour: [1, 2, 3], interpretedType: 'EXTERNAL' },
      ],
      manufacturer: 'Maker',
      modelName: 'Box finder',
      regulatoryStatus: 'research use only',
      ...parts.isocenter,
    },
  };
  const files: Record<string, string | Uint8Array> = {
    'configs/metadata.json': JSON.stringify(metadata),
    'configs/inference.json': JSON.stringify(parts.inference ?? { network_def: { _target_: 'isocenter.Phantom' } }),
    ...parts.files,
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

export async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.then(
    () => new Error('it did not fail'),
    (reason) => reason,
  );
  if (!(error instanceof Failure)) throw error;
  return error;
}
