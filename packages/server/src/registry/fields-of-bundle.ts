/**
 * What the rows say about a bundle that was just added: SegInt's fields as far as metadata.json tells them, open
 * defaults elsewhere. Nothing is guessed that a client could take for a promise (no body part, no regulatory clearance).
 */
import { answerKindOf, type Bundle, planOf, takesFeatures } from '@isocenter/engine/bundles';
import { isFailure } from '@isocenter/volume';
import { majorMinorOf } from './addresses.js';
import { type ModalityType, modalityTypes, type StructureType } from './enums.js';
import type { BundleChannel, ModelKind } from './model.js';
import { RegistryError } from './registry-error.js';
import {
  type FamilyFields,
  familyFieldsSchema,
  type InputChannel,
  modelName,
  modelVersionText,
  type RegulatoryFramework,
  type StructureFields,
  type VersionFields,
} from './schemas.js';

export interface BundleDescription {
  readonly name: string;
  readonly version: string;
  readonly family: FamilyFields;
  readonly fields: VersionFields;
  readonly kind: ModelKind;
  readonly takes: 'images' | 'features';
  readonly structures: readonly StructureFields[];
  readonly classes: readonly string[];
  readonly channels: readonly BundleChannel[];
  readonly regulatoryStatus: string;
  readonly manufacturer: string;
  readonly modelName: string;
  readonly intendedUse: string;
  readonly problem?: string;
}

/** No image is refused by spacing or size unless somebody says so: limits that no real image passes. */
const WIDEST_SPACING_MM = 100;
const LARGEST_DIMENSION = 65_535;
const FIRST_LANGUAGE = 'en';
const LINE = 256;
const FEATURES_ONLY = 'It takes a vector of numbers, not images: no study can be given to it';

const MODALITIES: Readonly<Record<string, readonly ModalityType[]>> = {
  CT: ['CT', 'CTA'],
  MR: ['MR_T1', 'MR_T2', 'MR_GAD', 'MR_FLAIR'],
  PT: ['PET'],
};
const TYPES: Readonly<Record<string, StructureType>> = { EXTERNAL: 'External', ORGAN: 'Organ' };

/** Throws RegistryError `wrong-name` when name or version cannot be an address. */
export function describeBundle(bundle: Bundle, now: Date): BundleDescription {
  const name = checked(modelName, bundle.name, 'name');
  const version = checked(modelVersionText, bundle.version, 'version');
  const { isocenter, metadata } = bundle;
  const description = (metadata.description ?? '').slice(0, 10_000);
  const regulatoryStatus = isocenter.regulatoryStatus ?? '';
  const manufacturer = isocenter.manufacturer ?? '';
  const { major, minor } = majorMinorOf(version);
  const takes = takesFeatures(bundle) ? 'features' : 'images';
  const family: FamilyFields = {
    canonicalName: name,
    languageCode: FIRST_LANGUAGE,
    name: (isocenter.modelName ?? metadata.name ?? name).slice(0, LINE),
    description,
    clinicalDomain: '',
    anatomicalRegion: '',
    primaryStructure: (isocenter.structures[0]?.name ?? '').slice(0, LINE),
    modalities: [...new Set(isocenter.channels.flatMap((channel) => channel.modalities ?? []))].slice(0, 64),
    inputChannels: isocenter.channels.map(({ name: channelId, modalities }) => inputChannel(channelId, modalities)),
    bodyPartsExamined: [],
    gender: 'Any',
  };
  return {
    name,
    version,
    family: familyFieldsSchema.parse(family),
    fields: {
      versionId: `${name}:${version}`,
      description: metadata.changelog?.[version]?.slice(0, 10_000) ?? description,
      createdOn: now.toISOString(),
      creditsRequired: 0,
      majorVersion: major,
      minorVersion: minor,
      languageCode: FIRST_LANGUAGE,
      regulatoryFrameworks: frameworksOf(regulatoryStatus, manufacturer),
    },
    kind: answerKindOf(bundle),
    takes,
    structures: structuresOf(bundle),
    classes: isocenter.classes.map((one) => one.name),
    channels: isocenter.channels.map((channel) => ({
      name: channel.name,
      modalities: channel.modalities ?? [],
      units: channel.units ?? '',
      optional: channel.optional ?? false,
    })),
    regulatoryStatus,
    manufacturer,
    modelName: isocenter.modelName ?? '',
    intendedUse: isocenter.intendedUse ?? metadata.intended_use ?? '',
    ...(takes === 'features' ? { problem: FEATURES_ONLY } : problemOf(bundle)),
  };
}

function checked(schema: typeof modelName, value: string, field: string): string {
  if (schema.safeParse(value).success) return value;
  throw new RegistryError('wrong-name', `The model's ${field} cannot be part of an address`, {
    where: field,
    next: `Use letters, digits, dots, dashes and underscores, at most 64: ${field === 'name' ? 'isocenter.name' : 'version'} in metadata.json`,
  });
}

export function inputChannel(channelId: string, modalities: readonly string[] | undefined): InputChannel {
  const accepted = modalities ? modalities.flatMap((one) => MODALITIES[one] ?? []) : modalityTypes;
  const all = (n: number) => ({ x: n, y: n, z: n });
  return {
    channelId,
    constraints: {
      acceptedModalities: [...new Set(accepted)],
      spacingMin: all(0),
      spacingMax: all(WIDEST_SPACING_MM),
      dimensionsMin: all(1),
      dimensionsMax: all(LARGEST_DIMENSION),
      originalDataRequired: false,
      isAxial: false,
    },
  };
}

/** A bundle's own words are no clearance: a client that shows frameworks only is told "investigational". */
function frameworksOf(status: string, manufacturer: string): RegulatoryFramework[] {
  if (status === '') return [];
  return [
    {
      framework: status.slice(0, LINE),
      status: 'Investigational',
      udi: '',
      manufacturer,
      detailsUrl: '',
      releaseDate: null,
    },
  ];
}

function structuresOf({ isocenter }: Bundle): StructureFields[] {
  const labels = isocenter.structures.map(({ label }) => label);
  const unique = new Set(labels).size === labels.length;
  return isocenter.structures.map((structure, position) => ({
    label: structure.label,
    name: structure.name,
    colour: structure.colour,
    type: TYPES[structure.interpretedType] ?? 'Unknown',
    interpretedType: structure.interpretedType,
    fmaCode: fmaCodeOf(structure.code),
    code: structure.code ?? null,
    inputChannelId: isocenter.channels[0].name,
    structureId: String(unique ? structure.label : position + 1),
  }));
}

function fmaCodeOf(code: { readonly value: string; readonly scheme: string } | undefined): number {
  if (code?.scheme !== 'FMA') return 0;
  const [, digits] = /^(?:FMA:?)?(\d{1,9})$/.exec(code.value) ?? [];
  return Number(digits ?? 0);
}

/** Built-in algorithms have no network; for all others the engine's own plan decides. */
function problemOf(bundle: Bundle): { readonly problem?: string } {
  if (isBuiltin(bundle)) return {};
  try {
    planOf(bundle);
    return {};
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { problem: error.next ? `${error.message}. ${error.next}` : error.message };
  }
}

/** Algorithms of our own stand as `isocenter.<Name>`; the only network class of that kind is OnnxNetwork. */
function isBuiltin({ inference, weights }: Bundle): boolean {
  const definition = inference.network_def as { readonly _target_?: unknown } | undefined;
  const target = definition?._target_;
  return weights === undefined && typeof target === 'string' && /^isocenter\.(?!OnnxNetwork)/.test(target);
}
