/**
 * Text from files made harmless for a terminal. Names and descriptions in DICOM, and names in archives, are chosen by
 * strangers: an escape sequence among them could rewrite what stands on the screen, or the window's title.
 */

/** C0 without line feed, DEL, C1, and the marks that reverse or hide text (bidi controls, zero-width, line separators). */
const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Several lines of text; control characters become visible, such as `\x1b`. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNSEEN, visible);
}

/** The same for a value that belongs into one line: a line feed in it cannot fake a line of ours. */
export function printableLine(text: string): string {
  return printable(text).replaceAll('\n', '\\n');
}

/** JSON is escaped below U+0020 already; this does the rest, and stays the same JSON. */
export function printableJson(json: string): string {
  return json.replace(UNSEEN, (character) => `\\u${hex(character, 4)}`);
}

function visible(character: string): string {
  if (character === '\t') return '  ';
  return character < '\u0100' ? `\\x${hex(character, 2)}` : `\\u${hex(character, 4)}`;
}

function hex(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, '0');
}
