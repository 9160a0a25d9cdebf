/** The registry as this protocol shows it: what can segment images, by family; and which version a model id means. */
import { create, type MessageShape } from '@bufbuild/protobuf';
import { isFailure } from '@isocenter/volume';
import { SYSTEM } from '../../accounts/actor.js';
import type { ModelVersion } from '../../registry/model.js';
import type { Registry } from '../../registry/registry.js';
import { fillFamily, messageOf, versionsOfFamily } from '../../registry/segint/fill-family.js';
import { ModelsCollectionSchema } from '../../registry/segint/messages/Model.generated.js';
import { SegintError } from './errors.js';
import { phantomFamily } from './phantom-family.js';

const PHANTOM = 'Phantom';

export class Catalogue {
  readonly #registry: Registry;
  #phantom: Promise<void> | undefined;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Families with something to offer, by name. Throws SegintError `cannot-build`. */
  async models(): Promise<MessageShape<typeof ModelsCollectionSchema>> {
    await this.#phantomIsFilled();
    const models = [];
    for (const family of await this.#registry.families()) {
      const versions = (await versionsOfFamily(this.#registry, family.id, 'active')).filter(isOffered);
      if (versions.length === 0) continue;
      try {
        models.push(await messageOf(this.#registry, family, versions));
      } catch (error) {
        if (!isFailure(error)) throw error;
        throw new SegintError('cannot-build', `The family ${family.canonicalName} cannot be put into a message`, {
          where: family.canonicalName,
          next: 'Upload its protobuf file again.',
          cause: error,
        });
      }
    }
    return create(ModelsCollectionSchema, { Models: models });
  }

  /** The newest active version with this id. Throws SegintError `unknown-model`. */
  async version(modelId: string): Promise<ModelVersion> {
    await this.#phantomIsFilled();
    const { versions } = await this.#registry.versions({ versionId: modelId, state: 'active', limit: 10 });
    const version = versions.find(isOffered);
    if (version) return version;
    throw new SegintError('unknown-model', 'There is no model with this id', {
      where: 'modelId',
      next: 'GET /api/v2/Model/ lists the models; the id is that of a ModelVersion.',
    });
  }

  /** Once: what an administrator changes afterwards stays. */
  async #phantomIsFilled(): Promise<void> {
    this.#phantom ??= this.#fillPhantom().catch((error: unknown) => {
      this.#phantom = undefined;
      throw error;
    });
    await this.#phantom;
  }

  async #fillPhantom(): Promise<void> {
    const version = await this.#registry.version(PHANTOM);
    if (version?.origin !== 'shipped') return;
    const family = await this.#registry.family(version.familyId);
    if (family && !family.hasProtobuf) await fillFamily(this.#registry, family, phantomFamily(), SYSTEM);
  }
}

function isOffered({ kind, takes, problem }: ModelVersion): boolean {
  return kind === 'segmentation' && takes === 'images' && problem === undefined;
}
