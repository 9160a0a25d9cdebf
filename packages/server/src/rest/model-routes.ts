/** Models: families, versions, structures; uploads and exports; which versions are warm on this server. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { toBinary } from '@bufbuild/protobuf';
import { api, type CallAnswer } from '@isocenter/client';
import type { FastifyInstance } from 'fastify';
import type { WarmModel } from '../compute/compute-pool.js';
import { implement } from '../http/implement.js';
import type { ModelFamily, ModelVersion } from '../registry/model.js';
import { fillFamily, messageOf, versionsOfFamily } from '../registry/segint/fill-family.js';
import { ModelFamilySchema } from '../registry/segint/messages/Model.generated.js';
import type { Services } from '../services/services.js';
import { audited } from './audited.js';
import { isMultipart, readForm } from './multipart.js';
import { pageView } from './page-view.js';
import { notFound, RestError } from './rest-error.js';
import { sliced } from './sliced.js';
import { TemporaryFile } from './temporary-file.js';

type ModelView = Awaited<CallAnswer<typeof api.models.get>>;
type FamilyView = Awaited<CallAnswer<typeof api.families.get>>;

export function modelRoutes(app: FastifyInstance, parts: Services): void {
  const { audit, registry, compute, temporaryFolder, temporarySpace } = parts;
  const exports = new ExportPlaces();

  implement(app, api.models.list, async ({ query }) => {
    const { cursor, limit, family, state } = query;
    const page = await registry.versions({
      limit,
      cursor,
      familyId: family,
      state,
    });
    return pageView(page.versions, page.next, modelView);
  });

  implement(app, api.models.get, async ({ params }) => modelView(await versionOf(parts, params.model)));

  implement(app, api.models.add, async (call) => {
    const { actor, query, body, signal, headers } = call;
    const multipart = isMultipart(body.mediaType)
      ? await readForm(body.stream, headers['content-type'] ?? '')
      : undefined;
    const form = formOf({ ...query, ...given('form', multipart?.fields.get('form')) });
    const file = new TemporaryFile(temporaryFolder);
    try {
      await file.receive(multipart?.file ?? body.stream, temporarySpace, signal);
      const version = await registry.add(
        file.path,
        // A bundle that does not name itself has the name of its folder in the zip, or the one that was given here.
        { signal, ...given('fileName', query.name), ...given('form', form) },
        actor,
      );
      call.header('location', `/isocenter/v1/models/${version.id}`);
      return modelView(version);
    } finally {
      await file.remove();
    }
  });

  implement(app, api.models.update, async ({ actor, params, body }) => {
    const { id } = await versionOf(parts, params.model);
    return modelView(await registry.updateVersion(id, body, actor));
  });

  implement(app, api.models.retire, async ({ actor, params }) => {
    const { id } = await versionOf(parts, params.model);
    return modelView(await registry.updateVersion(id, { state: 'retired' }, actor));
  });

  implement(app, api.models.activate, async ({ actor, params }) => {
    const { id } = await versionOf(parts, params.model);
    return modelView(await registry.updateVersion(id, { state: 'active' }, actor));
  });

  implement(app, api.models.remove, async ({ actor, params }) => {
    const { id } = await versionOf(parts, params.model);
    await registry.remove(id, actor);
    return undefined;
  });

  implement(app, api.models.export, async ({ params, actor, requestId }) => {
    const version = await versionOf(parts, params.model);
    const file = new TemporaryFile(temporaryFolder, exports.enter());
    try {
      await registry.exportTo(version.id, file.path);
      const answer = await file.answer({
        mediaType: 'application/zip',
        fileName: `${version.name}-${version.version}.zip`,
      });
      const subject = { kind: 'model', id: version.id };
      return audited(audit, { actor, action: 'model.exported', subject, requestId }, answer);
    } catch (error) {
      await file.remove();
      throw error;
    }
  });

  implement(app, api.models.storeModule, async ({ actor, params, query, body }) => {
    const { id } = await versionOf(parts, params.model);
    return modelView(await registry.storeModule(id, query.name, body.stream, actor));
  });

  implement(app, api.models.module, async ({ params }) => {
    const { id, pythonModule } = await versionOf(parts, params.model);
    if (!pythonModule) throw notFound('module');
    const { name, bytes, sha256 } = pythonModule;
    return {
      mediaType: 'text/x-python',
      fileName: name,
      bytes,
      sha256,
      open: async (range) => {
        const { stream } = await registry.openModule(id);
        return range ? sliced(stream, range.first, range.last) : stream;
      },
    };
  });

  implement(app, api.models.structures, async ({ params }) => ({
    items: modelView(await versionOf(parts, params.model)).structures,
  }));

  implement(app, api.models.warm, async ({ params, signal }) => {
    const version = await versionOf(parts, params.model);
    return warmView(await compute.warm(await registry.materialise(version.id, signal)));
  });

  implement(app, api.models.evict, async ({ params }) => {
    const version = await versionOf(parts, params.model);
    return { evicted: await compute.evict(version.sha256) };
  });

  implement(app, api.families.list, async () => ({ items: (await registry.families()).map(familyView) }));

  implement(app, api.families.get, async ({ params }) => familyView(await familyOf(parts, params.family)));

  implement(app, api.families.update, async ({ actor, params, body }) => {
    const { id } = await familyOf(parts, params.family);
    return familyView(await registry.updateFamily(id, body, actor));
  });

  implement(app, api.families.segint, async ({ params }) => {
    const family = await familyOf(parts, params.family);
    const message = await messageOf(registry, family, await versionsOfFamily(registry, family.id));
    const bytes = toBinary(ModelFamilySchema, message);
    return {
      mediaType: 'application/x-protobuf',
      fileName: `${family.canonicalName}.pb`,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      open: async (range) => Readable.from([range ? bytes.subarray(range.first, range.last + 1) : bytes]),
    };
  });

  implement(
    app,
    api.families.fillFromSegint,
    async ({ actor, params, body }) => {
      const family = await familyOf(parts, params.family);
      return familyView(await fillFamily(registry, family, await buffer(body.stream), actor));
    },
    { maximumBytes: LARGEST_MESSAGE },
  );
}

async function versionOf({ registry }: Services, wanted: string): Promise<ModelVersion> {
  const version = await registry.version(wanted);
  if (!version) throw notFound('model', 'GET /isocenter/v1/models lists them.');
  return version;
}

async function familyOf({ registry }: Services, wanted: string): Promise<ModelFamily> {
  const family = await registry.family(wanted);
  if (!family) throw notFound('family', 'GET /isocenter/v1/families lists them.');
  return family;
}

/** A family of a thousand structures has 100 KB. */
const LARGEST_MESSAGE = 4 * 1024 * 1024;

/** Each export is a copy of a model on our disk until it was fetched, and everybody who may read models may ask for one. */
const MOST_EXPORTS = 8;

class ExportPlaces {
  #taken = 0;

  /** Returns what gives the place back, once. Throws RestError `busy`. */
  enter(): () => void {
    if (this.#taken >= MOST_EXPORTS)
      throw new RestError('busy', 'As many models as this server exports at the same time are being fetched', {
        next: 'Ask again in a few seconds.',
      });
    this.#taken += 1;
    let left = false;
    return () => {
      if (!left) this.#taken -= 1;
      left = true;
    };
  }
}

interface FormQuery {
  readonly name?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly structures?: readonly string[];
  readonly form?: string;
}

/** What everybody needs may stand in the query, the rest in the form; undefined for a bundle, which says it all itself. */
function formOf({ name, version, kind, structures, form }: FormQuery): unknown {
  if (version === undefined && kind === undefined && structures === undefined && form === undefined) return undefined;
  return {
    ...(form === undefined ? {} : parsedForm(form)),
    ...given('name', name),
    ...given('version', version),
    ...given('kind', kind),
    ...given(
      'structures',
      structures?.map((structure) => ({ name: structure })),
    ),
  };
}

function given<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}

function parsedForm(form: string): Record<string, unknown> {
  try {
    const fields: unknown = JSON.parse(form);
    if (typeof fields === 'object' && fields !== null && !Array.isArray(fields)) return { ...fields };
  } catch {
    // Told below.
  }
  throw new RestError('bad-form', 'The form is not a JSON object', {
    where: 'form',
    next: 'With curl: -F form=@form.json -F file=@model.onnx.',
  });
}

export function modelView(version: ModelVersion): ModelView {
  // Read-only lists become the schema's; only what the schema names goes out.
  const view = { ...version, createdOn: version.createdOn.toISOString(), addedAt: version.addedAt.toISOString() };
  return view as unknown as ModelView;
}

function familyView(family: ModelFamily): FamilyView {
  const { hasProtobuf: _, ...rest } = family;
  const view = { ...rest, createdAt: family.createdAt.toISOString(), updatedAt: family.updatedAt.toISOString() };
  return view as unknown as FamilyView;
}

export function warmView({ address, lastUsedAt, ...rest }: WarmModel) {
  return { model: address, ...rest, lastUsedAt: lastUsedAt.toISOString() };
}
