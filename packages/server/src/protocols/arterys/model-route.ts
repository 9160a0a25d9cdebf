/**
 * A model answers: the images go to files as they arrive, the model runs while the client waits (503 when too many do), a
 * thread makes the answer of its masks or numbers, and all files are erased, whatever happened.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newUID } from '@isocenter/dicom/uid';
import type { PredictReport, SegmentReport } from '@isocenter/engine';
import type { Actor } from '../../accounts/actor.js';
import type { Services } from '../../services/services.js';
import type { AnswerThreads } from './answer-threads.js';
import { ArterysError } from './arterys-error.js';
import type { Answering } from './gateway.js';
import type { MemoryBudget } from './handler-route.js';
import type { EncodedAnswer } from './messages.js';
import { namelessImage } from './nameless-image.js';
import { FORMATS, type Output, outputOf } from './outputs.js';
import type { ReceivedRequest } from './read-request.js';
import type { TaggedLogger } from './tagged-logger.js';
import type { ThreadTask } from './thread-task.js';

export interface ModelRun {
  readonly services: Services;
  readonly threads: AnswerThreads;
  readonly budget: MemoryBudget;
  readonly wish: { readonly model: string; readonly output: Output; readonly seconds: number };
  readonly actor: Actor;
  readonly requestId: string;
  readonly signal: AbortSignal;
}

/** Enough of an image to hold the UIDs of its instance and series; the pixels are left to the model's own process. */
const HEADER_BYTES = 16 * 1024;
/** A client of this protocol waits with an open connection; longer than this it is better told to come back. */
const WAIT_MS = 30_000;

interface Image {
  readonly SOPInstanceUID: string;
  readonly SeriesInstanceUID: string;
}

/** Of one request; `end` erases all that it left on the disk. */
export class ModelAnswering implements Answering {
  readonly #run: ModelRun;
  readonly #folder: string;
  readonly #images: Image[] = [];
  #bytes = 0;
  #held = 0;
  #made = false;

  constructor(run: ModelRun) {
    this.#run = run;
    this.#folder = join(run.services.temporaryFolder, `arterys-${randomUUID()}`);
  }

  hold(bytes: number): void {
    this.#run.budget.take(bytes);
    this.#held += bytes;
  }

  /** Images are kept, on the disk; attachments are for handlers. */
  async take(bytes: Buffer, index: number): Promise<void> {
    const image = await headOf(bytes, index);
    if (image !== undefined) await this.#keep(image, bytes);
    this.#run.budget.giveBack(bytes.length);
    this.#held -= bytes.length;
  }

  async #keep(image: Image, bytes: Buffer): Promise<void> {
    const input = join(this.#folder, 'in');
    const first = !this.#made;
    this.#made = true;
    if (first) await mkdir(input, { recursive: true, mode: 0o700 });
    this.#images.push(image);
    this.#bytes += bytes.length;
    await writeFile(join(input, `${String(this.#images.length).padStart(6, '0')}.dcm`), bytes, { mode: 0o600 });
  }

  async answer({ json }: ReceivedRequest, logger: TaggedLogger): Promise<EncodedAnswer> {
    if (this.#images.length === 0)
      throw new ArterysError('no-images', 'None of the parts is a DICOM image', {
        next: 'Send the images of one study.',
      });
    const { services, threads, wish, signal } = this.#run;
    const output = outputOf(json.inference_command, wish.output);
    const version = await services.registry.version(wish.model);
    if (!version)
      throw new ArterysError('bad-route', 'The route names a model that is not here', {
        where: 'protocols.arterys.routes',
        next: 'GET /isocenter/v1/models lists the models.',
      });
    const model = await services.registry.materialise(version.id, signal);
    const outputFolder = join(this.#folder, 'out');
    await mkdir(outputFolder, { mode: 0o700 });
    const segments = version.kind === 'segmentation';
    const run = {
      model,
      inputPath: join(this.#folder, 'in'),
      outputFolder,
      runUID: newUID(),
      now: new Date().toISOString(),
    };
    const { report, files, seconds } = await services.compute.run(
      segments
        ? { ...run, kind: 'segment', wish: { formats: FORMATS[output], ties: 'first', stem: 'answer' } }
        : { ...run, kind: 'predict', wish: { formats: [], ties: 'first' } },
      { waitMs: WAIT_MS, timeMs: wish.seconds * 1000 },
      { signal },
    );
    logger.tag({ model: version.address }).info(`${segments ? output : version.kind} after ${seconds.toFixed(1)} s`);
    const task = segments
      ? this.#maskTask(version.address, output, outputFolder, files, report as SegmentReport)
      : predictionTask(version.address, report as PredictReport);
    return threads.answer(task, logger, signal);
  }

  #maskTask(
    model: string,
    output: Output,
    folder: string,
    files: readonly string[],
    { input, structures }: SegmentReport,
  ): ThreadTask {
    const SeriesInstanceUID = input.SeriesInstanceUID ?? this.#images[0]!.SeriesInstanceUID;
    return {
      kind: 'masks',
      folder,
      files,
      output,
      model,
      sent: this.#images
        .filter((image) => image.SeriesInstanceUID === SeriesInstanceUID)
        .map(({ SOPInstanceUID }) => SOPInstanceUID),
      SeriesInstanceUID,
      structures: structures.map(({ name, voxels, ml }) => ({ name, voxels, ml })),
    };
  }

  async end(): Promise<void> {
    this.#run.budget.giveBack(this.#held);
    this.#held = 0;
    if (!this.#made) return;
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
    const { services, actor, requestId } = this.#run;
    await services.audit.record({
      actor,
      action: 'images.erased',
      subject: { kind: 'request', id: requestId },
      reason: 'its answer is made',
      details: { protocol: 'arterys', images: this.#images.length, bytes: this.#bytes },
      requestId,
    });
  }
}

/** Numbers have one form: `inference_command` and the route's `output` choose among forms of masks. */
function predictionTask(model: string, { answer, predictions }: PredictReport): ThreadTask {
  return { kind: 'predictions', model, answer, predictions: predictions.map(({ input: _, ...said }) => said) };
}

/**
 * Undefined for what is no image: an attachment, a directory. Throws DicomError for what is damaged, ArterysError `no-images` for
 * an image that nothing could refer to: left out in silence it would be missing from the series.
 */
async function headOf(bytes: Buffer, index: number): Promise<Image | undefined> {
  // With the first request: a start of the server has no use for it.
  const { looksLikeDicom, objectIdentity, parseDicom } = await import('@isocenter/dicom');
  if (!looksLikeDicom(bytes)) return undefined;
  const file = parseDicom(bytes.subarray(0, HEADER_BYTES), {
    untilPixelData: true,
    partial: bytes.length > HEADER_BYTES,
    fileSize: bytes.length,
  });
  const { dataset } = file;
  const { SOPInstanceUID } = objectIdentity(file);
  const SeriesInstanceUID = dataset.string('SeriesInstanceUID');
  if (SOPInstanceUID && SeriesInstanceUID) return { SOPInstanceUID, SeriesInstanceUID };
  if (!dataset.has('Rows')) return undefined;
  throw namelessImage(index + 1);
}
