/** Colours for values 0..255: anchor points with straight lines between them, or the usual blue-to-red rainbow. */

/** 256 entries of R, G, B and opacity, 0..255 each. */
export type ColourMap = Uint8Array;

export interface AnchorPoint {
  /** 0..1. */
  readonly threshold: number;
  /** R, G, B and opacity, 0..255. */
  readonly color: readonly number[];
}

const ENTRIES = 256;
const CHANNELS = 4;

/** `points` in ascending order; values before the first and behind the last take its colour. */
export function anchoredColours(points: readonly AnchorPoint[]): ColourMap {
  const map = new Uint8Array(ENTRIES * CHANNELS);
  for (let value = 0; value < ENTRIES; value++) {
    const share = value / (ENTRIES - 1);
    const above = points.findIndex(({ threshold }) => threshold >= share);
    const high = points[above < 0 ? points.length - 1 : above];
    const low = above <= 0 ? high : points[above - 1];
    const along = high.threshold > low.threshold ? (share - low.threshold) / (high.threshold - low.threshold) : 1;
    for (let c = 0; c < CHANNELS; c++)
      map[value * CHANNELS + c] = Math.round(low.color[c] + (high.color[c] - low.color[c]) * Math.min(along, 1));
  }
  return map;
}

/** Blue, cyan, yellow, red; nothing at 0, so that an empty heat map leaves the image as it is. */
export function rainbow(): ColourMap {
  const map = anchoredColours([
    { threshold: 0, color: [0, 0, 128, 255] },
    { threshold: 0.125, color: [0, 0, 255, 255] },
    { threshold: 0.375, color: [0, 255, 255, 255] },
    { threshold: 0.625, color: [255, 255, 0, 255] },
    { threshold: 0.875, color: [255, 0, 0, 255] },
    { threshold: 1, color: [128, 0, 0, 255] },
  ]);
  map[CHANNELS - 1] = 0;
  return map;
}
