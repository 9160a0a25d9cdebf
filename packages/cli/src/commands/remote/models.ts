/** `isocenter models …`: what a server has, and what it is given. */
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Client } from '@isocenter/client';
import { table } from '../../output/table.js';
import type { CommandContext } from '../../program.js';
import { connect, type RemoteOptions } from '../../remote/connect.js';
import { pages } from '../../remote/pages.js';
import { readJson } from '../../remote/read-json.js';
import { readStudy } from '../../remote/read-study.js';

export async function listModelsCommand(options: RemoteOptions, { terminal }: CommandContext): Promise<undefined> {
  const { client } = connect(options);
  const models = await pages((cursor) => client.models.list(cursor));
  terminal.print(
    table(
      ['model', 'state', 'kind', 'modality', 'structures', 'status'],
      models.map(({ address, state, kind, channels, structures, regulatoryStatus }) => [
        address,
        state,
        kind,
        [...new Set(channels.flatMap(({ modalities }) => modalities))].join(' '),
        structures.length,
        regulatoryStatus,
      ]),
    ),
  );
  terminal.document({ models });
  return undefined;
}

export interface AddModelOptions extends RemoteOptions {
  /** Bundle folder, bundle zip, export of another server, or `.onnx`. */
  readonly input: string;
  readonly name?: string;
  readonly modelVersion?: string;
  /** JSON file with the fields of docs/how-to/add-models.md. */
  readonly form?: string;
}

export async function addModelCommand(options: AddModelOptions, context: CommandContext): Promise<undefined> {
  const { client } = connect(options);
  const form = options.form === undefined ? undefined : await readJson(options.form, '--form');
  const { stream, mediaType } = await bundleBytes(options.input, context);
  const model = await client.models.add(
    {
      body: stream,
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options.modelVersion === undefined ? {} : { version: options.modelVersion }),
      ...(form === undefined ? {} : { form: JSON.stringify(form) }),
    },
    { contentType: mediaType },
  );
  context.endProgress();
  const { terminal } = context;
  terminal.print(
    `${model.address}  ${model.kind}, ${counted(model.structures.length, 'structure')}, SHA-256 ${model.sha256}`,
  );
  if (model.problem) terminal.print(`It cannot be run: ${model.problem}`);
  terminal.document({ model });
  return undefined;
}

const counted = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;

async function bundleBytes(path: string, { watch }: CommandContext) {
  if ((await stat(path)).isDirectory()) {
    const { bundleZip } = await import('../../remote/bundle-zip.js');
    return { stream: bundleZip(path), mediaType: 'application/zip' };
  }
  if (extname(path).toLowerCase() === '.onnx')
    return { stream: createReadStream(path), mediaType: 'application/octet-stream' };
  return readStudy(path, watch);
}

export async function showModelCommand(
  options: RemoteOptions & { readonly model: string },
  { terminal }: CommandContext,
): Promise<undefined> {
  const model = await connect(options).client.models.get({ model: options.model });
  terminal.print(`${model.address} (${model.state})  ${model.description}`);
  terminal.print(
    table(
      ['label', 'structure', 'type', 'code'],
      model.structures.map(({ label, name, type, code }) => [
        label,
        name,
        type,
        code ? `${code.scheme} ${code.value}` : '',
      ]),
    ),
  );
  terminal.document({ model });
  return undefined;
}

export async function exportModelCommand(
  options: RemoteOptions & { readonly model: string; readonly out: string },
  { terminal }: CommandContext,
): Promise<undefined> {
  const download = await connect(options).client.models.export({ model: options.model });
  const part = `${options.out}.part`;
  try {
    await pipeline(download.stream, createWriteStream(part));
    await rename(part, options.out);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  terminal.print(`${options.model} → ${options.out}`);
  terminal.document({ model: options.model, file: basename(options.out) });
  return undefined;
}

/** What changes one model and says what became of it. */
export function changeModelCommand(change: 'remove' | 'retire' | 'activate' | 'warm' | 'evict') {
  return async (
    options: RemoteOptions & { readonly model: string },
    { terminal }: CommandContext,
  ): Promise<undefined> => {
    const call: Client['models'][typeof change] = connect(options).client.models[change];
    await call({ model: options.model });
    terminal.print(`${options.model}: ${done[change]}`);
    terminal.document({ model: options.model, change });
    return undefined;
  };
}

const done = {
  remove: 'removed',
  retire: 'retired',
  activate: 'active again',
  warm: 'loaded',
  evict: 'its memory was given back',
} as const;
