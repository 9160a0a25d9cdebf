/**
 * A family as SegInt's ModelFamily message, made anew from the registry's fields each time it is asked for, so that no
 * edit stays unseen. Only what the registry has no place for (the canonical name with its blanks, names and colours that a
 * message gave to structures) is taken from the message that was stored.
 */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { bodyPartsExamined, genderTypes, modalityTypes, regulatoryStatuses, structureTypes } from '../enums.js';
import type { ModelVersion } from '../model.js';
import type { FamilyFields, InputChannel, RegulatoryFramework, StructureFields } from '../schemas.js';
import {
  type ModelFamily as FamilyMessage,
  type ModelChannelDescriptionSchema,
  ModelFamilySchema,
  type ModelVersionSchema,
  type RegulatoryFrameworkSchema,
  type StructureSchema,
  type ModelVersion as VersionMessage,
} from './messages/Model.generated.js';

export type FamilyContent = FamilyFields;

/** `versions` in the order in which clients are to see them. */
export function familyMessage(
  family: FamilyContent,
  versions: readonly ModelVersion[],
  stored?: FamilyMessage,
): FamilyMessage {
  return create(ModelFamilySchema, {
    CanonicalName: stored?.CanonicalName || family.canonicalName,
    FamilyDescription: {
      Name: family.name,
      Description: family.description,
      ClinicalDomain: family.clinicalDomain,
      AnatomicalRegion: family.anatomicalRegion,
      PrimaryStructure: family.primaryStructure,
      Modalities: family.modalities.join(', '),
      InputChannels: family.inputChannels.map(channelMessage),
      Constraints: {
        BodyPartsExamined: family.bodyPartsExamined.map((part) => bodyPartsExamined.indexOf(part)),
        Gender: genderTypes.indexOf(family.gender),
      },
    },
    ModelVersions: versions.map((version) => versionMessage(version, storedVersion(stored, version))),
    LanguageCode: family.languageCode,
  });
}

function channelMessage({
  channelId,
  constraints,
}: InputChannel): MessageInitShape<typeof ModelChannelDescriptionSchema> {
  const point = ({ x, y, z }: { readonly x: number; readonly y: number; readonly z: number }) => ({ X: x, Y: y, Z: z });
  return {
    ChannelID: channelId,
    Constraints: {
      AcceptedModalities: constraints.acceptedModalities.map((one) => modalityTypes.indexOf(one)),
      SpacingMinInMillimeters: point(constraints.spacingMin),
      SpacingMaxInMillimeters: point(constraints.spacingMax),
      DimensionsMinInPixels: point(constraints.dimensionsMin),
      DimensionsMaxInPixels: point(constraints.dimensionsMax),
      OriginalDataRequired: constraints.originalDataRequired,
      IsAxial: constraints.isAxial,
    },
  };
}

export function versionMessage(
  version: ModelVersion,
  stored?: VersionMessage,
): MessageInitShape<typeof ModelVersionSchema> {
  return {
    ID: version.versionId,
    VersionDescription: version.description,
    CreatedOn: timestampFromDate(version.createdOn),
    Structures: structuresOf(version, stored),
    NumberOfCreditsRequired: version.creditsRequired,
    MajorVersion: version.majorVersion,
    MinorVersion: version.minorVersion,
    RegulatoryFrameworks: version.regulatoryFrameworks.map(frameworkMessage),
    LanguageCode: version.languageCode,
  };
}

/** In the order of the registry, which is that of the masks. */
export function structuresOf(
  version: Pick<ModelVersion, 'structures'>,
  stored?: VersionMessage,
): MessageInitShape<typeof StructureSchema>[] {
  return version.structures.map((structure, n) => structureMessage(structure, stored?.Structures[n]));
}

function structureMessage(
  structure: StructureFields,
  stored: VersionMessage['Structures'][number] | undefined,
): MessageInitShape<typeof StructureSchema> {
  const [R, G, B] = structure.colour;
  return {
    Name: stored?.Name || structure.name,
    Color: stored?.Color ?? { R, G, B },
    Type: structureTypes.indexOf(structure.type),
    FMACode: structure.fmaCode,
    InputChannelID: structure.inputChannelId,
    StructureID: structure.structureId,
  };
}

function frameworkMessage(framework: RegulatoryFramework): MessageInitShape<typeof RegulatoryFrameworkSchema> {
  return {
    Framework: framework.framework,
    Status: regulatoryStatuses.indexOf(framework.status),
    UDI: framework.udi,
    Manufacturer: framework.manufacturer,
    DetailsURL: framework.detailsUrl,
    ...(framework.releaseDate === null ? {} : { ReleaseDate: timestampFromDate(new Date(framework.releaseDate)) }),
  };
}

/** What was stored for a version: by its id, or by its number when the id was changed since. */
export function storedVersion(
  stored: FamilyMessage | undefined,
  version: Pick<ModelVersion, 'versionId' | 'majorVersion' | 'minorVersion' | 'structures'>,
): VersionMessage | undefined {
  const fits = (each: VersionMessage) => each.Structures.length === version.structures.length;
  const candidates = stored?.ModelVersions.filter(fits) ?? [];
  return (
    candidates.find(({ ID }) => ID === version.versionId) ??
    candidates.find(
      ({ MajorVersion, MinorVersion }) =>
        MajorVersion === version.majorVersion && MinorVersion === version.minorVersion,
    )
  );
}
