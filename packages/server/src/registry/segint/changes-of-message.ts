/**
 * The other way: what a ModelFamily message says about a family and its versions, as changes of the registry's fields.
 * Names and colours of structures belong to the bundle, whose objects bear them; those of the message stay in the message.
 */
import { type Timestamp, timestampDate } from '@bufbuild/protobuf/wkt';
import { bodyPartsExamined, genderTypes, modalityTypes, regulatoryStatuses, structureTypes } from '../enums.js';
import type { ModelVersion } from '../model.js';
import { RegistryError } from '../registry-error.js';
import type {
  ModelFamily as FamilyMessage,
  ModelChannelDescription,
  RegulatoryFramework,
  Structure,
  ModelVersion as VersionMessage,
} from './messages/Model.generated.js';
import type { Vector3D } from './messages/Primitives3D.generated.js';

export interface MessageChanges {
  readonly family: Record<string, unknown>;
  readonly versions: readonly {
    readonly version: ModelVersion;
    readonly changes: Record<string, unknown>;
    readonly from: VersionMessage;
    /** Structure of the message for each of the version's, where it names one. */
    readonly structures: readonly (Structure | undefined)[];
  }[];
}

/** Checked against the registry's schemas by whoever applies it. Throws RegistryError `wrong-fields`. */
export function changesOfMessage(message: FamilyMessage, versions: readonly ModelVersion[]): MessageChanges {
  const said = message.FamilyDescription;
  const taken = new Set<string>();
  return {
    family: {
      languageCode: message.LanguageCode,
      ...(said
        ? {
            name: said.Name,
            description: said.Description,
            clinicalDomain: said.ClinicalDomain,
            anatomicalRegion: said.AnatomicalRegion,
            primaryStructure: said.PrimaryStructure,
            modalities: said.Modalities === '' ? [] : [said.Modalities],
            inputChannels: said.InputChannels.map(channelFields),
            ...(said.Constraints
              ? {
                  bodyPartsExamined: said.Constraints.BodyPartsExamined.map((part) => named(bodyPartsExamined, part)),
                  gender: named(genderTypes, said.Constraints.Gender),
                }
              : {}),
          }
        : {}),
    },
    versions: message.ModelVersions.map((from) => {
      const version = versionFor(from, versions, message.ModelVersions.length);
      if (taken.has(version.id)) throw wrong('ModelVersions', `Two versions of the message mean ${version.address}`);
      taken.add(version.id);
      const structures = structuresFor(from, version);
      return { version, from, structures, changes: versionChanges(from, structures) };
    }),
  };
}

/** By its id, its address, its number, or because there is only one. */
function versionFor(message: VersionMessage, versions: readonly ModelVersion[], count: number): ModelVersion {
  const byNumber = versions.filter(
    ({ majorVersion, minorVersion }) => majorVersion === message.MajorVersion && minorVersion === message.MinorVersion,
  );
  const found =
    versions.find(({ versionId, address }) => message.ID === versionId || message.ID === address) ??
    (byNumber.length === 1 ? byNumber[0] : undefined) ??
    (count === 1 && versions.length === 1 ? versions[0] : undefined);
  if (found) return found;
  throw wrong(
    'ModelVersions.ID',
    'The message has a version that this family has not',
    `Upload the model of each version first; here are ${versions.map(({ address }) => address).join(', ')}`,
  );
}

/** By name, or one after the other when there are as many. */
function structuresFor(message: VersionMessage, version: ModelVersion): (Structure | undefined)[] {
  const said = message.Structures;
  const byName = version.structures.map(({ name }) => said.find(({ Name }) => Name === name));
  if (new Set(byName.filter(Boolean)).size === said.length) return byName;
  if (said.length === version.structures.length) return [...said];
  throw wrong(
    'ModelVersions.Structures',
    `The message has ${said.length} structures for ${version.address}, which has ${version.structures.length} of other names`,
    `Name them as the model does: ${version.structures.map(({ name }) => name).join(', ')}`,
  );
}

function versionChanges(message: VersionMessage, structures: readonly (Structure | undefined)[]) {
  return {
    ...(message.ID === '' ? {} : { versionId: message.ID }),
    description: message.VersionDescription,
    ...(message.CreatedOn ? { createdOn: timeText(message.CreatedOn, 'ModelVersions.CreatedOn') } : {}),
    creditsRequired: message.NumberOfCreditsRequired,
    majorVersion: message.MajorVersion,
    minorVersion: message.MinorVersion,
    languageCode: message.LanguageCode,
    regulatoryFrameworks: message.RegulatoryFrameworks.map(frameworkFields),
    structures: structures.flatMap((structure, position) => (structure ? [structureFields(structure, position)] : [])),
  };
}

function structureFields(structure: Structure, position: number) {
  return {
    position,
    type: named(structureTypes, structure.Type),
    fmaCode: structure.FMACode,
    inputChannelId: structure.InputChannelID,
    ...(structure.StructureID === '' ? {} : { structureId: structure.StructureID }),
  };
}

function channelFields({ ChannelID, Constraints }: ModelChannelDescription) {
  const point = (given: Vector3D | undefined) => ({ x: given?.X ?? 0, y: given?.Y ?? 0, z: given?.Z ?? 0 });
  return {
    channelId: ChannelID,
    constraints: {
      acceptedModalities: (Constraints?.AcceptedModalities ?? []).map((one) => named(modalityTypes, one)),
      spacingMin: point(Constraints?.SpacingMinInMillimeters),
      spacingMax: point(Constraints?.SpacingMaxInMillimeters),
      dimensionsMin: point(Constraints?.DimensionsMinInPixels),
      dimensionsMax: point(Constraints?.DimensionsMaxInPixels),
      originalDataRequired: Constraints?.OriginalDataRequired ?? false,
      isAxial: Constraints?.IsAxial ?? false,
    },
  };
}

function frameworkFields(framework: RegulatoryFramework) {
  return {
    framework: framework.Framework,
    status: named(regulatoryStatuses, framework.Status),
    udi: framework.UDI,
    manufacturer: framework.Manufacturer,
    detailsUrl: framework.DetailsURL,
    releaseDate: framework.ReleaseDate ? timeText(framework.ReleaseDate, 'RegulatoryFrameworks.ReleaseDate') : null,
  };
}

/** Seconds of the years 1 to 9999, which is what a Timestamp may hold. */
const FIRST_SECOND = -62_135_596_800n;
const LAST_SECOND = 253_402_300_799n;

function timeText(time: Timestamp, where: string): string {
  if (time.seconds < FIRST_SECOND || time.seconds > LAST_SECOND)
    throw wrong(where, 'A time of the message lies outside of the years 1 to 9999');
  return timestampDate(time).toISOString();
}

/** The word for a number of the wire; what is not in the list is refused where the schema is checked. */
function named(list: readonly string[], number: number): string {
  return list[number] ?? String(number);
}

function wrong(where: string, message: string, next?: string): RegistryError {
  return new RegistryError('wrong-fields', message, { where, ...(next ? { next } : {}) });
}
