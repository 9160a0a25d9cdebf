/** Tables of the registry. Lists without a life of their own are jsonb, checked by schemas.ts on their way in. */
import type { ColumnType, Generated } from 'kysely';
import type { BundleChannel, BundleFile, ModelKind } from './model.js';
import type { InputChannel, RegulatoryFramework, StructureFields } from './schemas.js';

/** Written as JSON text, read parsed. */
type Json<T> = ColumnType<T, string, string>;
/** int8 is read as text or number, whatever the driver's parsers are. */
type Int8 = ColumnType<string | number, number, number>;

export interface ModelFamilyTable {
  id: string;
  canonical_name: string;
  language_code: string;
  name: string;
  description: string;
  clinical_domain: string;
  anatomical_region: string;
  primary_structure: string;
  modalities: Json<string[]>;
  input_channels: Json<InputChannel[]>;
  body_parts_examined: Json<string[]>;
  gender: string;
  /** Bytes of SegInt's ModelFamily message. */
  protobuf: Buffer | null;
  created_at: Date;
  updated_at: Date;
}

export interface ModelVersionTable {
  id: string;
  /** Order of adding: the key of pages. */
  number: Generated<string>;
  family_id: string;
  address: string;
  name: string;
  version: string;
  state: 'active' | 'retired';
  origin: 'added' | 'shipped';
  kind: ModelKind;
  takes: 'images' | 'features';
  version_id: string;
  description: string;
  created_on: Date;
  credits_required: number;
  major_version: Int8;
  minor_version: Int8;
  language_code: string;
  regulatory_frameworks: Json<RegulatoryFramework[]>;
  regulatory_status: string;
  manufacturer: string;
  model_name: string;
  intended_use: string;
  classes: Json<string[]>;
  channels: Json<BundleChannel[]>;
  sha256: string;
  bytes: Int8;
  weights_sha256: string;
  files: Json<BundleFile[]>;
  problem: string | null;
  /** Null for shipped models: their bytes are part of the program. */
  blob_id: string | null;
  /** Name of the folder below the program's models/. */
  shipped_folder: string | null;
  module_blob_id: string | null;
  module_name: string | null;
  module_sha256: string | null;
  module_bytes: Int8 | null;
  added_by: string;
  added_at: Date;
  updated_at: Date;
}

export interface ModelStructureTable {
  version_uuid: string;
  position: number;
  label: number;
  name: string;
  colour: Json<[number, number, number]>;
  type: string;
  interpreted_type: string;
  fma_code: Int8;
  code: Json<StructureFields['code']> | null;
  input_channel_id: string;
  structure_id: string;
}

export type RegistryTables = {
  model_family: ModelFamilyTable;
  model_version: ModelVersionTable;
  model_structure: ModelStructureTable;
};
