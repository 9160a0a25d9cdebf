/**
 * The allow-list: every name that a file of weights may mention, and our own function in its place. Nothing is looked up
 * anywhere else, so a name that is not here cannot be called, whatever it is (CVE-2025-32434, GHSA-89gg-p5r5-q6r4 are
 * what happens when another program's flag decides this).
 */
import { type ElementType, typeOfStorage, typeOfTorchName } from '../element-type.js';
import type { WeightsLimits } from '../limits.js';
import { tensorView } from '../tensor-view.js';
import { SAVE_AS_STATE_DICT, WeightsError } from '../weights-error.js';
import { isKind, kindOf, type PyDict, type PyGlobal, type PyValue } from './values.js';

type Call = (args: readonly PyValue[]) => PyValue;

/** What one kind of file allows. `torchScript`: classes below `__torch__` too, as records of attributes. */
export function allowedGlobals(limits: WeightsLimits, torchScript: boolean): (name: string) => PyGlobal | undefined {
  const table = new Map<string, PyGlobal>();
  const add = (name: string, global: Omit<PyGlobal, 'kind' | 'name'>) =>
    table.set(name, Object.freeze({ kind: 'global', name, ...global }));
  const addCall = (names: readonly string[], call: Call) => {
    for (const name of names) add(name, { call });
  };

  const orderedDict = (): PyDict => ({ kind: 'dict', ordered: true, entries: new Map() });
  add('collections.OrderedDict', { call: (args) => filledDict(orderedDict(), args), create: orderedDict });
  for (const [storage, type] of typeOfStorage)
    for (const module of ['torch', 'torch.cuda']) add(`${module}.${storage}`, { elements: type });
  add('torch.storage.UntypedStorage', { elements: 'untyped' });
  for (const [dtype, type] of typeOfTorchName) add(`torch.${dtype}`, { elements: type });

  addCall(['torch._utils._rebuild_tensor'], (args) => rebuildTensor(args, 4, 4, limits));
  addCall(['torch._utils._rebuild_tensor_v2'], (args) => rebuildTensor(args, 6, 7, limits));
  addCall(['torch._utils._rebuild_tensor_v3'], (args) => rebuildTensor(args, 7, 8, limits, elementsOfDtype(args[6])));
  addCall(['torch._utils._rebuild_parameter'], (args) => rebuildParameter(args, 3));
  addCall(['torch._utils._rebuild_parameter_with_state'], (args) => rebuildParameter(args, 4));
  addCall(['torch.Size'], tupleOf);
  addCall(['torch.device'], (args) => {
    if (!args.every((part) => typeof part === 'string' || typeof part === 'number')) throw odd('torch.device', args);
    return { kind: 'name', text: args.join(':') };
  });

  addCall(['builtins.set', '__builtin__.set'], (args) => {
    const [items] = args;
    if (args.length > 1 || (args.length === 1 && !isKind(items, 'list'))) throw odd('set', args);
    return { kind: 'set', items: new Set(isKind(items, 'list') ? items.items : []) };
  });
  // How protocol 2 writes bytes: as text whose characters are the bytes.
  addCall(['_codecs.encode'], ([text, encoding, ...more]) => {
    if (typeof text !== 'string' || encoding !== 'latin1' || more.length > 0)
      throw odd('_codecs.encode', [text, encoding, ...more]);
    const bytes = Uint8Array.from({ length: text.length }, (_, n) => text.charCodeAt(n));
    if (bytes.some((byte, n) => byte !== text.charCodeAt(n))) throw odd('_codecs.encode', [text]);
    return bytes;
  });
  addCall(['numpy.dtype'], ([code, ...flags]) => {
    if (typeof code !== 'string' || !NUMPY_CODE.test(code) || flags.length > 2) throw odd('numpy.dtype', [code]);
    return { kind: 'numpy-type', code, littleEndian: true };
  });
  // Arrays beside the weights (histories of losses) are no tensors: they are accepted, and left out.
  add('numpy.ndarray', {});
  addCall(['numpy.core.multiarray._reconstruct', 'numpy._core.multiarray._reconstruct'], (args) => {
    if (args.length !== 3 || !isKind(args[0], 'global') || args[0].name !== 'numpy.ndarray')
      throw odd('an array', args);
    return { kind: 'numpy-array' };
  });
  addCall(['numpy.core.numeric._frombuffer', 'numpy._core.numeric._frombuffer'], (args) => {
    if (args.length !== 4 || !(args[0] instanceof Uint8Array)) throw odd('an array', args);
    return { kind: 'numpy-array' };
  });
  addCall(['numpy.core.multiarray.scalar', 'numpy._core.multiarray.scalar'], numpyScalar);

  if (torchScript) {
    const list = ['build_intlist', 'build_doublelist', 'build_boollist', 'build_tensorlist'];
    addCall(
      list.map((name) => `torch.jit._pickle.${name}`),
      (args) => {
        if (args.length !== 1 || !isKind(args[0], 'list')) throw odd('a list of TorchScript', args);
        return args[0];
      },
    );
    addCall(['torch.jit._pickle.restore_type_tag'], (args) => {
      if (args.length !== 2 || typeof args[1] !== 'string') throw odd('a typed container of TorchScript', args);
      return args[0];
    });
  }
  return (name) => table.get(name) ?? (torchScript ? torchScriptClass(name) : undefined);
}

/** A class that the archive's own code defines: we take its attributes and never look at the code. */
function torchScriptClass(name: string): PyGlobal | undefined {
  if (!/^__torch__(?:\.[A-Za-z_]\w*)+$/.test(name)) return undefined;
  return { kind: 'global', name, create: () => ({ kind: 'instance', className: name, state: null }) };
}

/** `OrderedDict()` or `OrderedDict([[key, value], …])`. */
function filledDict(dict: PyDict, args: readonly PyValue[]): PyDict {
  if (args.length === 0) return dict;
  const [pairs] = args;
  if (args.length > 1 || !isKind(pairs, 'list')) throw odd('collections.OrderedDict', args);
  for (const pair of pairs.items) {
    if (!(isKind(pair, 'tuple') || isKind(pair, 'list')) || pair.items.length !== 2)
      throw odd('collections.OrderedDict', [pair]);
    dict.entries.set(pair.items[0], pair.items[1]);
  }
  return dict;
}

/** `(storage, offset, size, stride[, requires_grad, hooks[, dtype][, metadata]])`, torch/_utils.py. */
function rebuildTensor(
  args: readonly PyValue[],
  fewest: number,
  most: number,
  limits: WeightsLimits,
  dtype?: ElementType,
): PyValue {
  const [storage, offset, size, stride, , hooks] = args;
  const name = 'a tensor';
  if (args.length < fewest || args.length > most || !isKind(storage, 'storage')) throw odd(name, args);
  if (!isKind(size, 'tuple') || !isKind(stride, 'tuple')) throw odd(name, args);
  if (hooks !== undefined && hooks !== null && !isKind(hooks, 'dict')) throw odd(name, args);
  const type = dtype ?? storage.elements;
  if (type === 'untyped') throw odd(name, args);
  return tensorView(storage, type, offset, size.items, stride.items, limits);
}

function elementsOfDtype(dtype: PyValue | undefined): ElementType {
  if (!isKind(dtype, 'global') || dtype.elements === undefined || dtype.elements === 'untyped')
    throw odd('a tensor with a dtype', [dtype]);
  return dtype.elements;
}

/** `(tensor, requires_grad, hooks[, state])`: the tensor itself. What was refused inside stays refused. */
function rebuildParameter(args: readonly PyValue[], count: number): PyValue {
  const [data] = args;
  if (args.length !== count || !(isKind(data, 'tensor') || isKind(data, 'opaque'))) throw odd('a parameter', args);
  return data;
}

function tupleOf(args: readonly PyValue[]): PyValue {
  const [items] = args;
  if (args.length !== 1 || !(isKind(items, 'tuple') || isKind(items, 'list'))) throw odd('torch.Size', args);
  return { kind: 'tuple', items: items.items };
}

/** `f8`, `i4`, `O8`, `U10` … */
const NUMPY_CODE = /^[A-Za-z]\d{0,6}$/;

/** numpy's codes of the scalars that checkpoints hold (learning rates, best metrics), with how to read one. */
const NUMPY_SCALARS: ReadonlyMap<string, (view: DataView, little: boolean) => PyValue> = new Map([
  ['f8', (view, little) => view.getFloat64(0, little)],
  ['f4', (view, little) => view.getFloat32(0, little)],
  ['i8', (view, little) => plain(view.getBigInt64(0, little))],
  ['i4', (view, little) => view.getInt32(0, little)],
  ['i2', (view, little) => view.getInt16(0, little)],
  ['i1', (view) => view.getInt8(0)],
  ['u8', (view, little) => plain(view.getBigUint64(0, little))],
  ['u4', (view, little) => view.getUint32(0, little)],
  ['u2', (view, little) => view.getUint16(0, little)],
  ['u1', (view) => view.getUint8(0)],
  ['b1', (view) => view.getUint8(0) !== 0],
] as [string, (view: DataView, little: boolean) => PyValue][]);

function numpyScalar(args: readonly PyValue[]): PyValue {
  const [type, bytes] = args;
  if (args.length !== 2 || !isKind(type, 'numpy-type') || !(bytes instanceof Uint8Array))
    throw odd('a numpy scalar', args);
  const read = NUMPY_SCALARS.get(type.code);
  if (!read || bytes.byteLength !== Number(type.code[1])) throw odd('a numpy scalar', args);
  return read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), type.littleEndian);
}

function plain(value: bigint): number | bigint {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

function odd(what: string, args: readonly (PyValue | undefined)[]): WeightsError {
  const kinds = args.slice(0, MOST_SHOWN).map((arg) => kindOf(arg));
  return new WeightsError('bad-arguments', `${what} cannot be made of (${kinds.join(', ')})`, {
    next: SAVE_AS_STATE_DICT,
  });
}

const MOST_SHOWN = 8;
