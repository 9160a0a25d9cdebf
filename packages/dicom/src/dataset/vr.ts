/** Value representations of PS3.5 table 6.2-1: how each is laid out, padded and limited. */

export type VR =
  | 'AE'
  | 'AS'
  | 'AT'
  | 'CS'
  | 'DA'
  | 'DS'
  | 'DT'
  | 'FD'
  | 'FL'
  | 'IS'
  | 'LO'
  | 'LT'
  | 'OB'
  | 'OD'
  | 'OF'
  | 'OL'
  | 'OV'
  | 'OW'
  | 'PN'
  | 'SH'
  | 'SL'
  | 'SQ'
  | 'SS'
  | 'ST'
  | 'SV'
  | 'TM'
  | 'UC'
  | 'UI'
  | 'UL'
  | 'UN'
  | 'UR'
  | 'US'
  | 'UT'
  | 'UV';

export interface VRRule {
  readonly vr: VR;
  /** `text`: in the character set of (0008,0005); `ascii`: default repertoire; `number`: binary; `bytes`: opaque words. */
  readonly kind: 'text' | 'ascii' | 'number' | 'bytes' | 'sequence';
  /** Bytes per unit that change places in big endian. */
  readonly unit: 1 | 2 | 4 | 8;
  /** Explicit VR with a 32-bit length after two reserved bytes (PS3.5 7.1.2). */
  readonly long: boolean;
  readonly pad: 0x00 | 0x20;
  /** Backslash separates values. */
  readonly multiple: boolean;
  /** Characters of one value (of one component group for PN); undefined: only bounded by the length field. */
  readonly maxLength?: number;
}

type Row = [VR, VRRule['kind'], VRRule['unit'], boolean, VRRule['pad'], boolean, number?];

const NUL = 0x00;
const SPACE = 0x20;

const ROWS: readonly Row[] = [
  ['AE', 'ascii', 1, false, SPACE, true, 16],
  ['AS', 'ascii', 1, false, SPACE, true, 4],
  ['AT', 'number', 2, false, NUL, true],
  ['CS', 'ascii', 1, false, SPACE, true, 16],
  ['DA', 'ascii', 1, false, SPACE, true, 8],
  ['DS', 'ascii', 1, false, SPACE, true, 16],
  ['DT', 'ascii', 1, false, SPACE, true, 26],
  ['FD', 'number', 8, false, NUL, true],
  ['FL', 'number', 4, false, NUL, true],
  ['IS', 'ascii', 1, false, SPACE, true, 12],
  ['LO', 'text', 1, false, SPACE, true, 64],
  ['LT', 'text', 1, false, SPACE, false, 10240],
  ['OB', 'bytes', 1, true, NUL, false],
  ['OD', 'bytes', 8, true, NUL, false],
  ['OF', 'bytes', 4, true, NUL, false],
  ['OL', 'bytes', 4, true, NUL, false],
  ['OV', 'bytes', 8, true, NUL, false],
  ['OW', 'bytes', 2, true, NUL, false],
  ['PN', 'text', 1, false, SPACE, true, 64],
  ['SH', 'text', 1, false, SPACE, true, 16],
  ['SL', 'number', 4, false, NUL, true],
  ['SQ', 'sequence', 1, true, NUL, false],
  ['SS', 'number', 2, false, NUL, true],
  ['ST', 'text', 1, false, SPACE, false, 1024],
  ['SV', 'number', 8, true, NUL, true],
  ['TM', 'ascii', 1, false, SPACE, true, 14],
  ['UC', 'text', 1, true, SPACE, true],
  ['UI', 'ascii', 1, false, NUL, true, 64],
  ['UL', 'number', 4, false, NUL, true],
  ['UN', 'bytes', 1, true, NUL, false],
  ['UR', 'ascii', 1, true, SPACE, false],
  ['US', 'number', 2, false, NUL, true],
  ['UT', 'text', 1, true, SPACE, false],
  ['UV', 'number', 8, true, NUL, true],
];

const RULES = new Map<string, VRRule>();
/** By the two letters as a number, first letter high: for the parser's inner loop. */
const BY_CODE: (VRRule | undefined)[] = new Array(0x5b5b);
for (const [vr, kind, unit, long, pad, multiple, maxLength] of ROWS) {
  const rule: VRRule = { vr, kind, unit, long, pad, multiple, ...(maxLength === undefined ? {} : { maxLength }) };
  RULES.set(vr, rule);
  BY_CODE[(vr.charCodeAt(0) << 8) | vr.charCodeAt(1)] = rule;
}

export function vrRule(vr: VR): VRRule {
  return RULES.get(vr) as VRRule;
}

export function isVR(text: string): text is VR {
  return RULES.has(text);
}

/** Rule of the two bytes `first`, `second`; undefined when they are no VR. */
export function vrRuleOfBytes(first: number, second: number): VRRule | undefined {
  return BY_CODE[(first << 8) | second];
}
