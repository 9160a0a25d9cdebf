/** Look-up in the generated dictionary: parsed on first use (about 2 ms), so that importing the package costs nothing. */
import { DICTIONARY_TEXT, type Keyword, REPEATING_TEXT } from './dictionary.generated.js';

export interface DictionaryEntry {
  /** A real VR, or 'xs': US or SS by Pixel Representation (0028,0103). */
  readonly vr: string;
  readonly keyword: string;
  /** More than one value is allowed. */
  readonly multiple: boolean;
}

interface RepeatingEntry extends DictionaryEntry {
  readonly first: number;
  readonly last: number;
}

let byTag: Map<number, DictionaryEntry> | undefined;
let byKeyword: Map<string, number> | undefined;
let repeating: RepeatingEntry[] = [];

const VR_AT = 4;
const FLAG_AT = 6;

function parseEntry(text: string): DictionaryEntry {
  const multiple = text.charCodeAt(2) === 0x2b;
  return { vr: text.slice(0, 2), keyword: text.slice(multiple ? 3 : 2), multiple };
}

function load(): Map<number, DictionaryEntry> {
  const tags = new Map<number, DictionaryEntry>();
  for (const line of DICTIONARY_TEXT.split('\n')) {
    const words = line.split(' ');
    const group = Number.parseInt(words[0] as string, 16) * 0x10000;
    for (let i = 1; i < words.length; i++) {
      const word = words[i] as string;
      const multiple = word.charCodeAt(FLAG_AT) === 0x2b;
      tags.set(group + Number.parseInt(word.slice(0, VR_AT), 16), {
        vr: word.slice(VR_AT, FLAG_AT),
        keyword: word.slice(multiple ? FLAG_AT + 1 : FLAG_AT),
        multiple,
      });
    }
  }
  repeating = REPEATING_TEXT.split('\n').map((line) => {
    const [first, last, rest] = line.split(' ') as [string, string, string];
    return { first: Number.parseInt(first, 16), last: Number.parseInt(last, 16), ...parseEntry(rest) };
  });
  return tags;
}

/** Entry of a standard tag, repeating groups and group lengths included; undefined for private and unknown tags. */
export function lookUpTag(tag: number): DictionaryEntry | undefined {
  byTag ??= load();
  return byTag.get(tag) ?? lookUpRepeating(tag);
}

function lookUpRepeating(tag: number): DictionaryEntry | undefined {
  const group = tag >>> 16;
  const element = tag & 0xffff;
  if (group & 1) return undefined;
  for (const entry of repeating) {
    const inGroup = group >= entry.first >>> 16 && group <= entry.last >>> 16;
    if (inGroup && element >= (entry.first & 0xffff) && element <= (entry.last & 0xffff)) return entry;
  }
  return element === 0 ? { vr: 'UL', keyword: 'GenericGroupLength', multiple: false } : undefined;
}

/** Keyword -> tag; for a repeating group its first tag (OverlayData -> 60003000). */
export function dictionaryByKeyword(): ReadonlyMap<Keyword, number> {
  if (byKeyword) return byKeyword as ReadonlyMap<Keyword, number>;
  byTag ??= load();
  byKeyword = new Map();
  for (const [tag, entry] of byTag) byKeyword.set(entry.keyword, tag);
  for (const entry of repeating) byKeyword.set(entry.keyword, entry.first);
  return byKeyword as ReadonlyMap<Keyword, number>;
}
