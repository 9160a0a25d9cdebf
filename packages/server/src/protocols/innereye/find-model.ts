/** The model that a client means: `name:version`, a name, or a GUID of a version or family (specs/protocols.md 1.6). */
import { compareVersions } from '../../registry/addresses.js';
import type { ModelVersion } from '../../registry/model.js';
import type { Registry } from '../../registry/registry.js';
import { InnerEyeError } from './innereye-error.js';

export interface FoundModel {
  readonly version: ModelVersion;
  /** What the result is to say in Software Versions, where it is not the address. */
  readonly modelId?: string;
}

/** Every workspace of InnerEye had the test model under another number; its tests look for the one that they asked for. */
const TEST_MODEL = 'PassThroughModel';
const TEST_MODEL_ID = new RegExp(`^${TEST_MODEL}:\\d{1,9}$`);
const VERSIONS = 500;

/** Throws InnerEyeError `unknown-model`, `model-not-usable`. */
export async function findModel(
  registry: Pick<Registry, 'version' | 'versions' | 'family'>,
  wanted: string,
  compat: boolean,
): Promise<FoundModel> {
  const found = (await registry.version(wanted)) ?? (await newestOf(registry, wanted));
  if (found) return { version: usable(found) };
  const stand = compat && TEST_MODEL_ID.test(wanted) ? await registry.version(TEST_MODEL) : undefined;
  if (stand?.origin === 'shipped') return { version: usable(stand), modelId: wanted };
  throw new InnerEyeError('unknown-model', 'There is no model of this id', {
    next: 'Name it as the registry does, name:version; `isocenter models` lists them.',
  });
}

/** Of a family that was named by its GUID. */
async function newestOf(
  registry: Pick<Registry, 'versions' | 'family'>,
  familyId: string,
): Promise<ModelVersion | undefined> {
  if (!(await registry.family(familyId))) return undefined;
  const { versions } = await registry.versions({ familyId, state: 'active', limit: VERSIONS });
  return [...versions].sort((a, b) => compareVersions(b.version, a.version))[0];
}

function usable(version: ModelVersion): ModelVersion {
  const why =
    version.problem ??
    (version.takes === 'features'
      ? 'it takes a vector of numbers, not images'
      : version.kind === 'segmentation'
        ? undefined
        : 'it does not segment');
  if (why === undefined) return version;
  throw new InnerEyeError('model-not-usable', `The model ${version.address} cannot segment: ${why}`, {
    next: 'Choose another model.',
  });
}
