/** Tables of the model registry: family → version → structure (specs/protocols.md 3.8), bundles by hash. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table model_family (
      id uuid primary key,
      canonical_name text not null unique,
      language_code text not null,
      name text not null,
      description text not null,
      clinical_domain text not null,
      anatomical_region text not null,
      primary_structure text not null,
      modalities jsonb not null,
      input_channels jsonb not null,
      body_parts_examined jsonb not null,
      gender text not null,
      protobuf bytea,
      created_at timestamptz not null,
      updated_at timestamptz not null
    )`.execute(db);
  await sql`
    create table model_version (
      id uuid primary key,
      number bigint generated always as identity unique,
      family_id uuid not null references model_family (id),
      address text not null unique,
      name text not null,
      version text not null,
      state text not null check (state in ('active', 'retired')),
      origin text not null check (origin in ('added', 'shipped')),
      kind text not null check (kind in ('segmentation', 'classification', 'regression')),
      takes text not null check (takes in ('images', 'features')),
      version_id text not null,
      description text not null,
      created_on timestamptz not null,
      credits_required double precision not null,
      major_version bigint not null,
      minor_version bigint not null,
      language_code text not null,
      regulatory_frameworks jsonb not null,
      regulatory_status text not null,
      manufacturer text not null,
      model_name text not null,
      intended_use text not null,
      classes jsonb not null,
      channels jsonb not null,
      sha256 text not null unique,
      bytes bigint not null,
      weights_sha256 text not null,
      files jsonb not null,
      problem text,
      blob_id uuid,
      shipped_folder text,
      module_blob_id uuid,
      module_name text,
      module_sha256 text,
      module_bytes bigint,
      added_by text not null,
      added_at timestamptz not null,
      updated_at timestamptz not null,
      check ((blob_id is null) = (origin = 'shipped'))
    )`.execute(db);
  await sql`create index model_version_family on model_version (family_id)`.execute(db);
  await sql`create index model_version_name on model_version (name)`.execute(db);
  await sql`
    create table model_structure (
      version_uuid uuid not null references model_version (id) on delete cascade,
      position integer not null,
      label integer not null,
      name text not null,
      colour jsonb not null,
      type text not null,
      interpreted_type text not null,
      fma_code bigint not null,
      code jsonb,
      input_channel_id text not null,
      structure_id text not null,
      primary key (version_uuid, position)
    )`.execute(db);
}
