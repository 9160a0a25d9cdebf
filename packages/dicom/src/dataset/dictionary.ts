/**
 * Look-up in the generated dictionary. Importing costs nothing: a group's line is parsed when a tag of it is asked for, and
 * a keyword is searched in the text and remembered; whole parsing took 6 to 10 ms of every start.
 */
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

const ELEMENT_DIGITS = 4;
const GROUP_DIGITS = 4;
const PLUS = 0x2b;

let lines: Map<number, string> | undefined;
let repeating: readonly RepeatingEntry[] | undefined;
const groups = new Map<number, ReadonlyMap<number, DictionaryEntry>>();
const tags = new Map<string, number>();

/** 'LO+OtherPatientIDs' */
function parseEntry(text: string): DictionaryEntry {
  const multiple = text.charCodeAt(2) === PLUS;
  return { vr: text.slice(0, 2), keyword: text.slice(multiple ? 3 : 2), multiple };
}

function loadGroup(group: number): ReadonlyMap<number, DictionaryEntry> {
  lines ??= new Map(
    DICTIONARY_TEXT.split('\n').map((line) => [Number.parseInt(line.slice(0, GROUP_DIGITS), 16), line]),
  );
  const entries = new Map<number, DictionaryEntry>();
  for (const word of lines.get(group)?.split(' ').slice(1) ?? [])
    entries.set(Number.parseInt(word.slice(0, ELEMENT_DIGITS), 16), parseEntry(word.slice(ELEMENT_DIGITS)));
  return entries;
}

/** Entry of a standard tag, repeating groups and group lengths included; undefined for private and unknown tags. */
export function lookUpTag(tag: number): DictionaryEntry | undefined {
  const group = tag >>> 16;
  if (group & 1) return undefined;
  let entries = groups.get(group);
  if (!entries) {
    entries = loadGroup(group);
    groups.set(group, entries);
  }
  return entries.get(tag & 0xffff) ?? lookUpRepeating(group, tag & 0xffff);
}

function repeatingEntries(): readonly RepeatingEntry[] {
  repeating ??= REPEATING_TEXT.split('\n').map((line) => {
    const [first, last, rest] = line.split(' ') as [string, string, string];
    return { first: Number.parseInt(first, 16), last: Number.parseInt(last, 16), ...parseEntry(rest) };
  });
  return repeating;
}

function lookUpRepeating(group: number, element: number): DictionaryEntry | undefined {
  for (const entry of repeatingEntries()) {
    const inGroup = group >= entry.first >>> 16 && group <= entry.last >>> 16;
    if (inGroup && element >= (entry.first & 0xffff) && element <= (entry.last & 0xffff)) return entry;
  }
  return element === 0 ? { vr: 'UL', keyword: 'GenericGroupLength', multiple: false } : undefined;
}

/** Tag of a keyword; for a repeating group its first tag (OverlayData: 6000,3000). undefined when there is none. */
export function lookUpKeyword(keyword: Keyword): number | undefined {
  const known = tags.get(keyword);
  if (known !== undefined) return known;
  const tag = searchKeyword(keyword) ?? repeatingEntries().find((entry) => entry.keyword === keyword)?.first;
  if (tag !== undefined) tags.set(keyword, tag);
  return tag;
}

function searchKeyword(keyword: string): number | undefined {
  for (let at = DICTIONARY_TEXT.indexOf(keyword); at >= 0; at = DICTIONARY_TEXT.indexOf(keyword, at + 1)) {
    const end = DICTIONARY_TEXT.charAt(at + keyword.length);
    if (end !== ' ' && end !== '\n' && end !== '') continue;
    const start = DICTIONARY_TEXT.lastIndexOf(' ', at) + 1;
    if (parseEntry(DICTIONARY_TEXT.slice(start + ELEMENT_DIGITS, at + keyword.length)).keyword !== keyword) continue;
    const line = DICTIONARY_TEXT.lastIndexOf('\n', at) + 1;
    const group = Number.parseInt(DICTIONARY_TEXT.slice(line, line + GROUP_DIGITS), 16);
    return group * 0x10000 + Number.parseInt(DICTIONARY_TEXT.slice(start, start + ELEMENT_DIGITS), 16);
  }
  return undefined;
}
