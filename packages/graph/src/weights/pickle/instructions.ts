/** What each pickle instruction does, as a table: protocols 0 to 5, all that any file uses. Those that are missing are refused. */
import { FETCH_AGAIN, SAVE_AS_STATE_DICT, WeightsError } from '../weights-error.js';
import { OPCODES, type OpcodeName } from './opcodes.js';
import type { PickleMachine } from './pickle-machine.js';
import { unescapeString, unescapeUnicode } from './text-escapes.js';
import { isKind } from './values.js';

/** Protocol 5 is the newest. */
const NEWEST_PROTOCOL = 5;

/**
 * Left out on purpose: PERSID (text ids), EXT1 to EXT4 (a registry of classes that a program fills) and NEXT_BUFFER,
 * READONLY_BUFFER (bytes from beside the pickle). No file of weights has them. STOP belongs to the loop.
 */
export type KnownInstruction = Exclude<
  OpcodeName,
  'STOP' | 'PERSID' | 'EXT1' | 'EXT2' | 'EXT4' | 'NEXT_BUFFER' | 'READONLY_BUFFER'
>;

const steps: Readonly<Record<KnownInstruction, (machine: PickleMachine) => void>> = {
  PROTO: ({ from }) => {
    const protocol = from.uint8();
    if (protocol <= NEWEST_PROTOCOL) return;
    throw new WeightsError('unsupported-format', `Pickle protocol ${protocol} is unknown`, {
      next: SAVE_AS_STATE_DICT,
    });
  },
  FRAME: ({ from }) => {
    if (from.uint64() <= from.bytes.length - from.at) return;
    throw new WeightsError('truncated', 'A frame of the pickle is longer than the pickle', { next: FETCH_AGAIN });
  },

  NONE: (m) => m.push(null),
  NEWTRUE: (m) => m.push(true),
  NEWFALSE: (m) => m.push(false),
  INT: (m) => m.push(m.from.decimalOrTruth()),
  LONG: (m) => m.push(m.from.decimal()),
  BININT: (m) => m.push(m.from.int32()),
  BININT1: (m) => m.push(m.from.uint8()),
  BININT2: (m) => m.push(m.from.uint16()),
  LONG1: (m) => m.push(m.from.integer(m.from.uint8())),
  LONG4: (m) => m.push(m.from.integer(m.from.int32())),
  FLOAT: (m) => m.push(m.from.decimalFloat()),
  BINFLOAT: (m) => m.push(m.from.float64()),

  BINUNICODE: (m) => m.push(m.from.utf8(m.from.uint32())),
  SHORT_BINUNICODE: (m) => m.push(m.from.utf8(m.from.uint8())),
  BINUNICODE8: (m) => m.push(m.from.utf8(m.from.uint64())),
  UNICODE: (m) => m.push(unescapeUnicode(m.from.line())),
  STRING: (m) => m.push(unescapeString(m.from.line())),
  BINSTRING: (m) => m.push(m.from.latin1(m.from.int32())),
  SHORT_BINSTRING: (m) => m.push(m.from.latin1(m.from.uint8())),
  BINBYTES: (m) => m.push(m.from.slice(m.from.uint32())),
  SHORT_BINBYTES: (m) => m.push(m.from.slice(m.from.uint8())),
  BINBYTES8: (m) => m.push(m.from.slice(m.from.uint64())),
  BYTEARRAY8: (m) => m.push(m.from.slice(m.from.uint64())),

  MARK: (m) => m.mark(),
  POP: (m) => m.drop(),
  POP_MARK: (m) => {
    m.popMark();
  },
  DUP: (m) => m.push(m.top()),

  EMPTY_TUPLE: (m) => m.pushTuple([]),
  TUPLE: (m) => m.pushTuple(m.popMark()),
  TUPLE1: (m) => m.pushTuple(m.popMany(1)),
  TUPLE2: (m) => m.pushTuple(m.popMany(2)),
  TUPLE3: (m) => m.pushTuple(m.popMany(3)),
  EMPTY_LIST: (m) => m.pushList([]),
  LIST: (m) => m.pushList(m.popMark()),
  APPEND: (m) => m.append(m.popMany(1)),
  APPENDS: (m) => m.append(m.popMark()),
  EMPTY_DICT: (m) => m.pushDict([]),
  DICT: (m) => m.pushDict(m.popMark()),
  SETITEM: (m) => m.setItems(m.popMany(2)),
  SETITEMS: (m) => m.setItems(m.popMark()),
  EMPTY_SET: (m) => m.pushSet([]),
  FROZENSET: (m) => m.pushSet(m.popMark()),
  ADDITEMS: (m) => m.addItems(m.popMark()),

  GET: (m) => m.recall(m.from.index()),
  BINGET: (m) => m.recall(m.from.uint8()),
  LONG_BINGET: (m) => m.recall(m.from.uint32()),
  PUT: (m) => m.remember(m.from.index()),
  BINPUT: (m) => m.remember(m.from.uint8()),
  LONG_BINPUT: (m) => m.remember(m.from.uint32()),
  MEMOIZE: (m) => m.remember(),

  GLOBAL: (m) => m.pushGlobal(m.from.line(), m.from.line()),
  STACK_GLOBAL: (m) => {
    const [module, name] = m.popMany(2);
    if (typeof module !== 'string' || typeof name !== 'string') throw m.from.corrupt('The name of a class is no text');
    m.pushGlobal(module, name);
  },
  REDUCE: (m) => m.reduce(),
  INST: (m) => {
    const args = m.popMark();
    m.pushGlobal(m.from.line(), m.from.line());
    m.create(m.popMany(1)[0], args);
  },
  OBJ: (m) => {
    const [type, ...args] = m.popMark();
    m.create(type, args);
  },
  NEWOBJ: (m) => {
    const [type, args] = m.popMany(2);
    m.create(type, m.itemsOf(args));
  },
  NEWOBJ_EX: (m) => {
    const [type, args, named] = m.popMany(3);
    if (!isKind(named, 'dict') || named.entries.size > 0)
      throw new WeightsError('bad-arguments', 'An object is made with named arguments', { next: SAVE_AS_STATE_DICT });
    m.create(type, m.itemsOf(args));
  },
  BUILD: (m) => m.build(),
  BINPERSID: (m) => m.persistent(),
};

export const INSTRUCTIONS: ReadonlyMap<number, (machine: PickleMachine) => void> = new Map(
  (Object.keys(steps) as KnownInstruction[]).map((name) => [OPCODES[name], steps[name]]),
);
