/** Between rows and the words of model.ts; the only place that knows both spellings. */
import type { Insertable, Selectable } from 'kysely';
import type { BodyPartExamined, GenderType, StructureType } from './enums.js';
import type { ModelFamily, ModelVersion } from './model.js';
import type { FamilyFields, StructureFields, VersionFields } from './schemas.js';
import type { ModelFamilyTable, ModelStructureTable, ModelVersionTable } from './tables.js';

export type FamilyRow = Selectable<ModelFamilyTable>;
export type VersionRow = Selectable<ModelVersionTable>;
export type StructureRow = Selectable<ModelStructureTable>;

export function familyOf(row: Omit<FamilyRow, 'protobuf'> & { readonly has_protobuf: boolean }): ModelFamily {
  return {
    id: row.id,
    canonicalName: row.canonical_name,
    languageCode: row.language_code,
    name: row.name,
    description: row.description,
    clinicalDomain: row.clinical_domain,
    anatomicalRegion: row.anatomical_region,
    primaryStructure: row.primary_structure,
    modalities: row.modalities,
    inputChannels: row.input_channels,
    bodyPartsExamined: row.body_parts_examined as BodyPartExamined[],
    gender: row.gender as GenderType,
    hasProtobuf: row.has_protobuf,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

type FamilyColumns = Omit<Insertable<ModelFamilyTable>, 'id' | 'protobuf' | 'created_at' | 'updated_at'>;

/** Only what is given. */
export function familyColumns(fields: Partial<FamilyFields>): Partial<FamilyColumns> {
  return withoutUndefined({
    canonical_name: fields.canonicalName,
    language_code: fields.languageCode,
    name: fields.name,
    description: fields.description,
    clinical_domain: fields.clinicalDomain,
    anatomical_region: fields.anatomicalRegion,
    primary_structure: fields.primaryStructure,
    modalities: json(fields.modalities),
    input_channels: json(fields.inputChannels),
    body_parts_examined: json(fields.bodyPartsExamined),
    gender: fields.gender,
  });
}

export function versionOf(row: VersionRow, structures: readonly StructureRow[]): ModelVersion {
  return {
    id: row.id,
    familyId: row.family_id,
    address: row.address,
    name: row.name,
    version: row.version,
    state: row.state,
    origin: row.origin,
    kind: row.kind,
    takes: row.takes,
    versionId: row.version_id,
    description: row.description,
    createdOn: row.created_on,
    creditsRequired: row.credits_required,
    majorVersion: Number(row.major_version),
    minorVersion: Number(row.minor_version),
    languageCode: row.language_code,
    regulatoryFrameworks: row.regulatory_frameworks,
    regulatoryStatus: row.regulatory_status,
    manufacturer: row.manufacturer,
    modelName: row.model_name,
    intendedUse: row.intended_use,
    classes: row.classes,
    channels: row.channels,
    structures: structures.map(structureOf),
    sha256: row.sha256,
    bytes: Number(row.bytes),
    weightsSha256: row.weights_sha256,
    files: row.files,
    addedAt: row.added_at,
    ...(row.problem === null ? {} : { problem: row.problem }),
    ...(row.module_name === null
      ? {}
      : {
          pythonModule: {
            name: row.module_name,
            sha256: row.module_sha256 ?? '',
            bytes: Number(row.module_bytes ?? 0),
          },
        }),
  };
}

type VersionFieldColumns = Pick<
  Insertable<ModelVersionTable>,
  | 'version_id'
  | 'description'
  | 'created_on'
  | 'credits_required'
  | 'major_version'
  | 'minor_version'
  | 'language_code'
  | 'regulatory_frameworks'
>;

/** Only what is given. */
export function versionColumns(fields: Partial<VersionFields>): Partial<VersionFieldColumns> {
  return withoutUndefined({
    version_id: fields.versionId,
    description: fields.description,
    created_on: fields.createdOn === undefined ? undefined : new Date(fields.createdOn),
    credits_required: fields.creditsRequired,
    major_version: fields.majorVersion,
    minor_version: fields.minorVersion,
    language_code: fields.languageCode,
    regulatory_frameworks: json(fields.regulatoryFrameworks),
  });
}

function structureOf(row: StructureRow): StructureFields {
  return {
    label: row.label,
    name: row.name,
    colour: row.colour,
    type: row.type as StructureType,
    interpretedType: row.interpreted_type,
    fmaCode: Number(row.fma_code),
    code: row.code,
    inputChannelId: row.input_channel_id,
    structureId: row.structure_id,
  };
}

export function structureColumns(
  versionId: string,
  position: number,
  structure: StructureFields,
): Insertable<ModelStructureTable> {
  return {
    version_uuid: versionId,
    position,
    label: structure.label,
    name: structure.name,
    colour: JSON.stringify(structure.colour),
    type: structure.type,
    interpreted_type: structure.interpretedType,
    fma_code: structure.fmaCode,
    code: structure.code === null ? null : JSON.stringify(structure.code),
    input_channel_id: structure.inputChannelId,
    structure_id: structure.structureId,
  };
}

function json(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

function withoutUndefined<T extends object>(columns: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
