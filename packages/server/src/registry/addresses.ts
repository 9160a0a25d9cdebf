/** `name:version` and the order of versions: as people mean it (1.10 after 1.9), close to semver, total for any text. */
import { modelName, modelVersionText } from './schemas.js';

export interface Address {
  readonly name: string;
  /** Absent: the newest active one. */
  readonly version?: string;
}

/** Undefined when the text can be no address. */
export function parseAddress(text: string): Address | undefined {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const version = colon < 0 ? undefined : text.slice(colon + 1);
  if (!modelName.safeParse(name).success) return undefined;
  if (version !== undefined && !modelVersionText.safeParse(version).success) return undefined;
  return version === undefined ? { name } : { name, version };
}

/** Negative when `a` is older. `1.0` = `1.0.0`; `1.0-rc.1` is older than `1.0`; what follows `+` does not count. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  const core = compareParts(left.core, right.core, '0');
  if (core !== 0) return core;
  if (left.pre.length === 0 || right.pre.length === 0) return right.pre.length - left.pre.length;
  return compareParts(left.pre, right.pre, '');
}

function partsOf(version: string): { core: string[]; pre: string[] } {
  const plain = version.replace(/\+.*$/, '').replace(/^v(?=\d)/, '');
  const dash = plain.indexOf('-');
  const [core, pre] = dash < 0 ? [plain, ''] : [plain.slice(0, dash), plain.slice(dash + 1)];
  return { core: core.split(/[._]/), pre: pre === '' ? [] : pre.split(/[.-]/) };
}

function compareParts(a: readonly string[], b: readonly string[], missing: string): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const order = comparePart(a[at] ?? missing, b[at] ?? missing);
    if (order !== 0) return order;
  }
  return 0;
}

/** `9` < `10` < `10a` < `10b` < `a`; the absent is the oldest. */
function comparePart(x: string, y: string): number {
  if (x === '' || y === '') return x.length - y.length;
  const [, p, wordX] = /^0*(\d*)(.*)$/s.exec(x) ?? [];
  const [, q, wordY] = /^0*(\d*)(.*)$/s.exec(y) ?? [];
  const [isX, isY] = [/^\d/.test(x), /^\d/.test(y)];
  if (isX !== isY) return isX ? -1 : 1;
  // Digits of any length, without passing through a float.
  return p.length - q.length || (p < q ? -1 : p > q ? 1 : 0) || (wordX < wordY ? -1 : wordX > wordY ? 1 : 0);
}

/** `1.2.3` → 1, 2: the two numbers that the old protocol knows. */
export function majorMinorOf(version: string): { readonly major: number; readonly minor: number } {
  const [, major, minor] = /^v?(\d{1,9})(?:\.(\d{1,9}))?/.exec(version) ?? [];
  return { major: Number(major ?? 0), minor: Number(minor ?? 0) };
}
