/** The panel beside an annotated picture: title, one legend entry a finding with its label, colour bars, lines of text. */
import { GLYPH_PITCH } from '../encoders/overlay/font.js';
import type { Raster, Rgb } from '../encoders/overlay/raster.js';
import type { PictureFinding, PictureMask } from './annotated-picture.js';

export interface Panel {
  readonly title: string;
  readonly findings: readonly PictureFinding[];
  readonly lines: readonly string[];
}

export const BOX_COLOUR: Rgb = [255, 0, 0];
export const RULER_COLOUR: Rgb = [255, 221, 51];
const SCALE = 2;
const LINE = 22;
const SWATCH = 16;
const INDENT = 26;
const BAR_HEIGHT = 14;
const INK: Rgb = [235, 235, 235];
const FAINT: Rgb = [150, 150, 150];
/** More entries than this make a page that nobody reads. */
const MOST_ENTRIES = 40;
const MOST_LINES = 60;

/** A line or a few of the panel, laid out for its width. */
export interface PanelEntry {
  readonly finding?: PictureFinding;
  readonly text: readonly string[];
  readonly faint: boolean;
  readonly height: number;
}

export function panelHeight(entries: readonly PanelEntry[]): number {
  return entries.reduce((sum, { height }) => sum + height, 0);
}

export function drawPanel(raster: Raster, x: number, y: number, width: number, entries: readonly PanelEntry[]): void {
  let top = y;
  for (const { finding, text, faint, height } of entries) {
    text.forEach((line, n) => {
      raster.text(
        finding && finding.kind !== 'heat' ? x + INDENT : x,
        top + n * LINE,
        line,
        faint ? FAINT : INK,
        SCALE,
      );
    });
    if (finding) drawSign(raster, x, top, width, finding, text.length);
    top += height;
  }
}

function drawSign(raster: Raster, x: number, y: number, width: number, finding: PictureFinding, lines: number): void {
  if (finding.kind === 'mask') raster.fill(x, y, SWATCH, SWATCH, finding.colour);
  if (finding.kind === 'ruler') raster.fill(x, y + SWATCH / 2 - 1, SWATCH, 3, RULER_COLOUR);
  if (finding.kind === 'box') {
    raster.fill(x, y, SWATCH, SWATCH, BOX_COLOUR);
    raster.fill(x + 4, y + 4, SWATCH - 8, SWATCH - 8, [12, 12, 12]);
  }
  if (finding.kind !== 'heat') return;
  const top = y + lines * LINE;
  for (let u = 0; u < width; u++) {
    const at = 4 * Math.floor((u * 256) / width);
    const [r, g, b, opacity] = finding.colours.subarray(at, at + 4);
    for (let v = 0; v < BAR_HEIGHT; v++) {
      // A chequered ground shows how much of the image comes through.
      const ground = ((u >> 2) + (v >> 2)) % 2 === 0 ? 90 : 40;
      raster.blend(x + u, top + v, [ground, ground, ground]);
      raster.blend(x + u, top + v, [r, g, b], opacity / 255);
    }
  }
  ['0', '0.5', '1'].forEach((tick, n) => {
    const wide = tick.length * GLYPH_PITCH * SCALE;
    raster.text(Math.round(x + (n * (width - wide)) / 2), top + BAR_HEIGHT + 4, tick, INK, SCALE);
  });
}

export function panelEntries({ title, findings, lines }: Panel, width: number): PanelEntry[] {
  const letters = Math.floor(width / (GLYPH_PITCH * SCALE));
  const entries: PanelEntry[] = [plain(wrap(title, letters), false, LINE / 2)];
  for (const finding of findings.slice(0, MOST_ENTRIES)) {
    const pixels = finding.kind === 'mask' ? coveredPixels(finding) : undefined;
    const text = wrap(describe(finding, pixels), letters - Math.ceil(INDENT / (GLYPH_PITCH * SCALE)));
    const bar = finding.kind === 'heat' ? BAR_HEIGHT + LINE + LINE / 2 : 0;
    entries.push({ finding, text, faint: pixels === 0, height: text.length * LINE + bar });
  }
  if (findings.length > MOST_ENTRIES) entries.push(plain([`and ${findings.length - MOST_ENTRIES} more`], true, 0));
  const wrapped = lines.flatMap((line) => wrap(line, letters));
  const shown = wrapped.length > MOST_LINES ? [...wrapped.slice(0, MOST_LINES - 1), '...'] : wrapped;
  if (shown.length > 0) entries.push(plain([''], true, 0), plain(shown, false, 0));
  return entries;
}

function plain(text: readonly string[], faint: boolean, after: number): PanelEntry {
  return { text, faint, height: text.length * LINE + after };
}

/** `pixels`: of a mask. */
function describe(finding: PictureFinding, pixels: number | undefined): string {
  if (finding.kind === 'ruler') return `${finding.label} ${finding.length}`;
  if (pixels === undefined) return finding.label;
  return pixels === 0 ? `${finding.label}: not here` : `${finding.label}: ${pixels} px`;
}

export function coveredPixels({ inside }: PictureMask): number {
  let pixels = 0;
  for (let at = 0; at < inside.length; at++) if (inside[at] !== 0) pixels++;
  return pixels;
}

/** Lines of at most `letters` characters, broken at blanks where there are any; the blanks before the text stay. */
function wrap(text: string, letters: number): string[] {
  const indent = ' '.repeat(Math.min(/^ */.exec(text)?.[0].length ?? 0, letters - 1));
  const lines: string[] = [];
  let line = indent;
  for (const word of text.trim().split(/\s+/)) {
    const longer = line.trim() === '' ? line + word : `${line} ${word}`;
    if (longer.length <= letters) {
      line = longer;
      continue;
    }
    if (line.trim() !== '') lines.push(line);
    line = indent + word;
    for (; line.length > letters; line = indent + line.slice(letters)) lines.push(line.slice(0, letters));
  }
  return [...lines, line];
}
