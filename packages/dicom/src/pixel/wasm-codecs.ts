/**
 * The codecs of the npm package dcmjs-codecs (libjpeg, CharLS, OpenJPEG, OpenJPH as one WebAssembly module), called
 * directly: its own JavaScript loads dcmjs (80 ms) and keeps a broken instance after a trap. Loaded on first use; an
 * instance that trapped or threw is thrown away, since its memory is in an unknown state.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DicomError } from '../dataset/errors.js';

export type WasmCodec = 'Jpeg' | 'JpegLs' | 'Jpeg2000' | 'HtJpeg2000' | 'JpegXl';

export interface CodecImage {
  readonly rows: number;
  readonly columns: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly samplesPerPixel: number;
  readonly pixelRepresentation: number;
  readonly planarConfiguration: number;
  readonly photometric: string;
}

export interface CodecResult extends CodecImage {
  readonly bytes: Uint8Array;
}

/** What we use of the platform's WebAssembly; @types/node 20 leaves it to the DOM library, which Node code should not load. */
declare namespace WebAssembly {
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  interface Module {
    readonly [brand: symbol]: never;
  }
  class RuntimeError extends Error {}
  function compile(bytes: Uint8Array): Promise<Module>;
  function instantiate(module: Module, imports: object): Promise<{ readonly exports: object }>;
}

type Handle = number;
type Exports = Record<string, (...values: number[]) => number> & { readonly memory: WebAssembly.Memory };

/** The module numbers photometric interpretations by this list. */
const PHOTOMETRIC = [
  'MONOCHROME1',
  'MONOCHROME2',
  'PALETTE COLOR',
  'RGB',
  'YBR_FULL',
  'YBR_FULL_422',
  'YBR_PARTIAL_422',
  'YBR_PARTIAL_420',
  'YBR_ICT',
  'YBR_RCT',
  'CMYK',
  'ARGB',
  'HSV',
];
/** WebAssembly memory never shrinks: an instance that grew beyond this for one huge frame is not kept. */
const MAX_KEPT_MEMORY = 512 * 2 ** 20;

let compiled: Promise<WebAssembly.Module> | undefined;
let instance: Exports | undefined;

class CodecFault extends Error {}

async function compile(): Promise<WebAssembly.Module> {
  const folder = dirname(createRequire(import.meta.url).resolve('dcmjs-codecs'));
  return WebAssembly.compile(await readFile(join(folder, 'dcmjs-native-codecs.wasm')));
}

/** Only what a codec may need of a system: no files, no environment, a clock that stands still (results must not vary). */
function imports(memory: () => WebAssembly.Memory): object {
  const text = (at: number, length: number) => Buffer.from(memory().buffer, at, length).toString('latin1');
  return {
    wasi_snapshot_preview1: {
      environ_get: () => 0,
      environ_sizes_get: (count: number, size: number) => {
        const view = new DataView(memory().buffer);
        view.setUint32(count, 0, true);
        view.setUint32(size, 0, true);
        return 0;
      },
      clock_time_get: (_id: number, _precision: bigint, out: number) => {
        new DataView(memory().buffer).setBigUint64(out, 0n, true);
        return 0;
      },
      fd_write: (_fd: number, vectors: number, count: number, written: number) => {
        const view = new DataView(memory().buffer);
        let total = 0;
        for (let i = 0; i < count; i++) total += view.getUint32(vectors + 8 * i + 4, true);
        view.setUint32(written, total, true);
        return 0;
      },
      fd_read: () => 8,
      fd_seek: () => 0,
      fd_close: () => 0,
      proc_exit: (code: number) => {
        throw new CodecFault(`the codec exited with ${code}`);
      },
    },
    env: {
      emscripten_notify_memory_growth: () => undefined,
      onCodecsInfo: () => undefined,
      onCodecsTrace: () => undefined,
      onCodecsException: (at: number, length: number) => {
        throw new CodecFault(text(at, length));
      },
    },
  };
}

async function instantiate(): Promise<Exports> {
  compiled ??= compile();
  const made: { exports?: Exports } = {};
  const wasm = await WebAssembly.instantiate(
    await compiled,
    imports(() => (made.exports as Exports).memory),
  );
  made.exports = wasm.exports as unknown as Exports;
  made.exports._initialize?.();
  return made.exports;
}

function createContext(api: Exports, image: CodecImage): Handle {
  const context = call(api, 'CreateCodecsContext');
  const set = (name: string, value: number) => call(api, `Set${name}`, context, value);
  set('Columns', image.columns);
  set('Rows', image.rows);
  set('BitsAllocated', image.bitsAllocated);
  set('BitsStored', image.bitsStored);
  set('SamplesPerPixel', image.samplesPerPixel);
  set('PixelRepresentation', image.pixelRepresentation);
  set('PlanarConfiguration', image.planarConfiguration);
  set('PhotometricInterpretation', PHOTOMETRIC.indexOf(image.photometric));
  return context;
}

function call(api: Exports, name: string, ...values: number[]): number {
  const fn = api[name];
  if (!fn) throw new CodecFault(`the module has no ${name}`);
  return fn(...values);
}

function putBuffer(api: Exports, context: Handle, which: 'Encoded' | 'Decoded', bytes: Uint8Array): void {
  call(api, `Set${which}BufferSize`, context, bytes.length);
  new Uint8Array(api.memory.buffer).set(bytes, call(api, `Get${which}Buffer`, context));
}

function takeResult(api: Exports, context: Handle, which: 'Encoded' | 'Decoded'): CodecResult {
  const get = (name: string) => call(api, `Get${name}`, context);
  const at = get(`${which}Buffer`);
  const bytes = new Uint8Array(api.memory.buffer, at, get(`${which}BufferSize`)).slice();
  return {
    rows: get('Rows'),
    columns: get('Columns'),
    bitsAllocated: get('BitsAllocated'),
    bitsStored: get('BitsStored'),
    samplesPerPixel: get('SamplesPerPixel'),
    pixelRepresentation: get('PixelRepresentation'),
    planarConfiguration: get('PlanarConfiguration'),
    photometric: PHOTOMETRIC[get('PhotometricInterpretation')] ?? 'MONOCHROME2',
    bytes,
  };
}

/** Runs `work` on the one instance of this thread. The work is synchronous, so calls cannot interleave. */
async function withInstance<T>(action: string, work: (api: Exports) => T): Promise<T> {
  instance ??= await instantiate();
  const api = instance;
  try {
    const result = work(api);
    if (api.memory.buffer.byteLength > MAX_KEPT_MEMORY && instance === api) instance = undefined;
    return result;
  } catch (error) {
    if (instance === api) instance = undefined;
    const fault =
      error instanceof CodecFault || error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
    if (!fault) throw error;
    throw new DicomError(
      'damaged-frame',
      `The codec cannot ${action} the frame: ${(error as Error).message.slice(0, 200)}.`,
      {
        where: '(7FE0,0010) PixelData',
        next: 'The compressed data is damaged or of a kind that the codec does not know.',
        cause: error,
      },
    );
  }
}

/** Decodes one frame; no colour conversion. Throws DicomError 'damaged-frame'. */
export function decodeWithWasm(codec: WasmCodec, frame: Uint8Array, image: CodecImage): Promise<CodecResult> {
  return withInstance('decode', (api) => {
    const context = createContext(api, image);
    putBuffer(api, context, 'Encoded', frame);
    const parameters = call(api, 'CreateDecoderParameters');
    call(api, 'SetConvertColorspaceToRgb', parameters, 0);
    call(api, `Decode${codec}`, context, parameters);
    call(api, 'ReleaseDecoderParameters', parameters);
    const result = takeResult(api, context, 'Decoded');
    call(api, 'ReleaseCodecsContext', context);
    return result;
  });
}

/** Encodes one frame without loss (JPEG: process 14, predictor 1). Throws DicomError 'damaged-frame'. */
export function encodeWithWasm(codec: WasmCodec, frame: Uint8Array, image: CodecImage): Promise<CodecResult> {
  return withInstance('encode', (api) => {
    const context = createContext(api, image);
    putBuffer(api, context, 'Decoded', frame);
    const parameters = call(api, 'CreateEncoderParameters');
    const defaults: readonly [string, number][] = [
      ['Lossy', 0],
      ['Quality', 100],
      ['SmoothingFactor', 0],
      ['SampleFactor', 0],
      ['Predictor', 1],
      ['PointTransform', 0],
      ['AllowedLossyError', 0],
      ['ProgressionOrder', 0],
      ['Rate', 0],
      ['AllowMct', 1],
    ];
    for (const [name, value] of defaults) call(api, `Set${name}`, parameters, value);
    call(api, `Encode${codec}`, context, parameters);
    call(api, 'ReleaseEncoderParameters', parameters);
    const result = takeResult(api, context, 'Encoded');
    call(api, 'ReleaseCodecsContext', context);
    return result;
  });
}
