/** A serialised ModelFamily fills a family, its versions and their structures: all of it, or nothing. */
import { create, toBinary } from '@bufbuild/protobuf';
import type { Actor } from '../../accounts/actor.js';
import type { ModelFamily, ModelVersion } from '../model.js';
import type { Registry } from '../registry.js';
import { changesOfMessage, type MessageChanges } from './changes-of-message.js';
import { decodeMessage } from './decode-message.js';
import { familyMessage } from './family-message.js';
import {
  type ModelFamily as FamilyMessage,
  ModelFamilySchema,
  ModelVersionSchema,
} from './messages/Model.generated.js';

const MOST_VERSIONS = 500;

/** Oldest first, as they were added. */
export async function versionsOfFamily(
  registry: Pick<Registry, 'versions'>,
  familyId: string,
  state?: ModelVersion['state'],
): Promise<readonly ModelVersion[]> {
  const { versions } = await registry.versions({ familyId, limit: MOST_VERSIONS, ...(state ? { state } : {}) });
  return [...versions].reverse();
}

/** As SegInt's clients are shown it. `versions`: of this family, in their order. Throws MessageError for damaged rows. */
export async function messageOf(
  registry: Pick<Registry, 'protobuf'>,
  family: ModelFamily,
  versions: readonly ModelVersion[],
): Promise<FamilyMessage> {
  return familyMessage(family, versions, await storedMessage(registry, family));
}

export async function storedMessage(
  registry: Pick<Registry, 'protobuf'>,
  family: ModelFamily,
): Promise<FamilyMessage | undefined> {
  const bytes = family.hasProtobuf ? await registry.protobuf(family.id) : undefined;
  return bytes && decodeMessage(ModelFamilySchema, bytes);
}

/** Throws MessageError, RegistryError `wrong-fields`, `not-found`; then nothing was changed. */
export async function fillFamily(
  registry: Registry,
  family: ModelFamily,
  bytes: Uint8Array,
  actor: Actor,
): Promise<ModelFamily> {
  const message = decodeMessage(ModelFamilySchema, bytes);
  const changes = changesOfMessage(message, await versionsOfFamily(registry, family.id));
  const { family: fields, versions } = changes;
  return registry.fill(
    family.id,
    {
      family: fields,
      versions: versions.map((each) => ({ id: each.version.id, changes: each.changes })),
      protobuf: toBinary(ModelFamilySchema, keptOf(message, changes)),
    },
    actor,
  );
}

/** Of the message what the registry has no field for: the canonical name, and each structure's own name and colour. */
function keptOf(message: FamilyMessage, { versions }: MessageChanges): FamilyMessage {
  return create(ModelFamilySchema, {
    CanonicalName: message.CanonicalName,
    ModelVersions: versions.map(({ from, structures, version }) =>
      create(ModelVersionSchema, {
        ID: from.ID || version.versionId,
        MajorVersion: from.MajorVersion,
        MinorVersion: from.MinorVersion,
        Structures: structures.map((structure) => ({
          ...(structure ? { Name: structure.Name } : {}),
          ...(structure?.Color ? { Color: structure.Color } : {}),
        })),
      }),
    ),
  });
}
