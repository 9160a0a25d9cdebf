/**
 * Mask to polygons: follows the voxel edges of every label of one slice. The ends of runs (label-runs.ts) are the vertical unit
 * edges; on each line between two rows the ends above and below pair up into the horizontal edges, so a ring is a walk
 * over at most two nodes a run, and straight stretches never make vertices.
 *
 * Connectivity at diagonal touches: both the label and its surroundings are 4-connected. Each ring is the border between
 * one 4-connected region and one 4-connected part of what is not that region; such a ring never visits a vertex twice, so
 * it is a simple polygon. Two rings may share a vertex (a diagonal touch), never an edge. Foreground 8-connected would
 * give figure-eights, background 8-connected rings that pinch themselves: both confuse readers that clean polygons.
 */
import { holesAs } from './hole-modes.js';
import { insetContours } from './inset.js';
import { type LabelRuns, runsOf } from './label-runs.js';
import { type HoleMode, type LabelPlane, type PlaneContours, type Ring, ringArea } from './rings.js';

export interface TraceOptions {
  /** Default 'even-odd'. */
  readonly holes?: HoleMode;
  /** Only these labels; default: all but 0. */
  readonly labels?: ReadonlySet<number>;
  /**
   * Pixels, below 0.5, that rings are drawn inside of the voxel edges, for readers that round to pixels and paint borders
   * (inset.ts; give INSET); default 0.
   */
  readonly inset?: number;
  /** Slice index that the answer carries; default 0. */
  readonly k?: number;
}

// A node is one end of a run: 2r its start (walked towards lower rows), 2r + 1 its end (walked towards higher rows).
let next = new Int32Array(0);
// Diagonal touch that the walk meets where it enters or leaves a node; 0: none.
let touchAtEntry = new Int32Array(0);
let touchAtExit = new Int32Array(0);
let parent = new Int32Array(0);
let touches = 0;

// The walk so far: vertices on lattice corners (x = i + 0.5), and where in it each diagonal touch was passed.
let pathX = new Int32Array(1024);
let pathY = new Int32Array(1024);
let pathTouch = new Int32Array(1024);
let pathLength = 0;
let placeOfTouch = new Int32Array(1024).fill(-1);

function wider(array: Int32Array<ArrayBuffer>, length: number, filler = 0): Int32Array<ArrayBuffer> {
  const wide = new Int32Array(Math.max(length, 2 * array.length)).fill(filler, array.length);
  wide.set(array);
  return wide;
}

/** Pairs the run ends of row y - 1 (runs uFrom … uTo - 1) and of row y (dFrom … dTo - 1) on the line between them. */
function linkLine(ends: Int32Array<ArrayBufferLike>, uFrom: number, uTo: number, dFrom: number, dTo: number): void {
  let u = 2 * uFrom;
  let d = 2 * dFrom;
  const uEnd = 2 * uTo;
  const dEnd = 2 * dTo;
  // An edge leaves this line's point into `target` and comes from `source`; one of a pair is each.
  let open = -1;
  let openIsSource = false;
  while (u < uEnd || d < dEnd) {
    const xu = u < uEnd ? ends[u] : 0x7fffffff;
    const xd = d < dEnd ? ends[d] : 0x7fffffff;
    const uIsSource = (u & 1) === 1;
    const dIsSource = (d & 1) === 0;
    if (xu === xd && uIsSource !== dIsSource) {
      // Both start or both end here: the edge goes straight on.
      if (uIsSource) next[u] = d;
      else next[d] = u;
      u++;
      d++;
    } else if (xu === xd) {
      // Diagonal touch. The pixel to the left of the point, above or below, keeps its own two edges.
      touches++;
      if (uIsSource) {
        next[u] = open;
        touchAtExit[u] = touches;
        touchAtExit[d] = touches;
        open = d;
      } else {
        next[open] = d;
        touchAtEntry[u] = touches;
        touchAtEntry[d] = touches;
        open = u;
      }
      openIsSource = uIsSource;
      u++;
      d++;
    } else {
      const above = xu < xd;
      const node = above ? u++ : d++;
      const isSource = above ? uIsSource : dIsSource;
      if (open < 0) {
        open = node;
        openIsSource = isSource;
      } else {
        if (openIsSource) next[open] = node;
        else next[node] = open;
        open = -1;
      }
    }
  }
}

function linkLabel({ ends, rows }: LabelRuns, from: number, to: number): void {
  touches = 0;
  touchAtEntry.fill(0, 2 * from, 2 * to);
  touchAtExit.fill(0, 2 * from, 2 * to);
  let u = from;
  let uTo = from;
  let d = from;
  while (d < to || u < uTo) {
    const line = u < uTo ? rows[uTo - 1] + 1 : rows[d];
    let dTo = d;
    while (dTo < to && rows[dTo] === line) dTo++;
    linkLine(ends, u, uTo, d, dTo);
    u = d;
    uTo = dTo;
    d = dTo;
  }
  if (placeOfTouch.length <= touches) placeOfTouch = wider(placeOfTouch, touches + 1, -1);
}

/** Takes the vertices from `place` on off the walk, as a ring; the vertex at `place` stays when the walk goes on. */
function cutRing(place: number, goesOn: boolean): Ring {
  const ring = new Float64Array(2 * (pathLength - place));
  for (let p = place, q = 0; p < pathLength; p++) {
    ring[q++] = pathX[p] - 0.5;
    ring[q++] = pathY[p] - 0.5;
    placeOfTouch[pathTouch[p]] = -1;
  }
  if (goesOn) placeOfTouch[pathTouch[place]] = place;
  pathLength = goesOn ? place + 1 : place;
  return ring;
}

function step(x: number, y: number, touch: number, rings: Ring[]): void {
  if (touch > 0) {
    const place = placeOfTouch[touch];
    if (place >= 0) {
      rings.push(cutRing(place, true));
      return;
    }
    placeOfTouch[touch] = pathLength;
  }
  if (pathLength === pathX.length) {
    pathX = wider(pathX, 0);
    pathY = wider(pathY, 0);
    pathTouch = wider(pathTouch, 0);
  }
  pathX[pathLength] = x;
  pathY[pathLength] = y;
  pathTouch[pathLength++] = touch;
}

/** Walks one border of a region; wherever it comes back to a vertex, the loop is cut off as a ring of its own (`cut`). */
function walk({ ends, rows }: LabelRuns, start: number, cut: boolean, rings: Ring[]): void {
  let a = start;
  do {
    const b = next[a];
    next[a] = -1;
    if (ends[a] !== ends[b]) {
      const y = rows[a >> 1] + (a & 1);
      step(ends[a], y, cut ? touchAtExit[a] : 0, rings);
      step(ends[b], y, cut ? touchAtEntry[b] : 0, rings);
    }
    a = b;
  } while (a !== start);
  rings.push(cutRing(0, false));
}

function rootOf(run: number): number {
  while (parent[run] !== run) {
    parent[run] = parent[parent[run]];
    run = parent[run];
  }
  return run;
}

/** 4-connected regions of runs from … to - 1: `rootOf(run)` names a run's region afterwards. */
function joinRuns({ ends, rows }: LabelRuns, from: number, to: number): void {
  for (let r = from; r < to; r++) parent[r] = r;
  let above = from;
  for (let r = from; r < to; r++) {
    while (above < r && (rows[above] < rows[r] - 1 || (rows[above] < rows[r] && ends[2 * above + 1] <= ends[2 * r])))
      above++;
    for (let a = above; a < r && rows[a] < rows[r] && ends[2 * a] < ends[2 * r + 1]; a++) {
      const p = rootOf(a);
      const q = rootOf(r);
      if (p < q) parent[q] = p;
      else parent[p] = q;
    }
  }
}

/** Puts each hole behind the outer ring of its region. `runs[n]` is a run of the region that ring n borders. */
function nest(found: readonly Ring[], runs: readonly number[]): Pick<PlaneContours, 'rings' | 'holeOf'> {
  const groups = new Map<number, { outer?: Ring; holes: Ring[] }>();
  for (let n = 0; n < found.length; n++) {
    const root = rootOf(runs[n]);
    let group = groups.get(root);
    if (group === undefined) {
      group = { holes: [] };
      groups.set(root, group);
    }
    if (ringArea(found[n]) > 0) group.outer = found[n];
    else group.holes.push(found[n]);
  }
  const rings: Ring[] = [];
  const holeOf: number[] = [];
  for (const { outer, holes } of groups.values()) {
    if (outer === undefined) throw new Error('a region without an outer ring: the tracing is broken');
    const place = rings.length;
    rings.push(outer, ...holes);
    holeOf.push(-1);
    for (let n = 0; n < holes.length; n++) holeOf.push(place);
  }
  return { rings, holeOf };
}

function traceLabel(runs: LabelRuns, n: number, k: number, cut: boolean): PlaneContours {
  const from = runs.starts[n];
  const to = runs.starts[n + 1];
  linkLabel(runs, from, to);
  const rings: Ring[] = [];
  const runOf: number[] = [];
  let holes = false;
  for (let r = from; r < to; r++) {
    if (next[2 * r] < 0) continue;
    const before = rings.length;
    walk(runs, 2 * r, cut, rings);
    for (let m = before; m < rings.length; m++) {
      runOf.push(r);
      holes ||= ringArea(rings[m]) < 0;
    }
  }
  const base = { kind: 'plane-contours', label: runs.labels[n], k, mode: 'even-odd' } as const;
  if (!holes) return Object.freeze({ ...base, rings, holeOf: rings.map(() => -1) });
  joinRuns(runs, from, to);
  return Object.freeze({ ...base, ...nest(rings, runOf) });
}

/**
 * Contours of all labels of a plane (0 is background), labels ascending, along voxel edges in index coordinates (i, j).
 * Every ring has at least four vertices, every vertex is a corner, and the areas add up to the count of pixels.
 * With an inset the vertices lie that much inside instead, and the areas are smaller.
 * Throws ContourError `plane-mismatch`, and `too-far` for an inset that is not between 0 and 0.5.
 */
export function tracePlane(plane: LabelPlane, options: TraceOptions = {}): readonly PlaneContours[] {
  const runs = runsOf(plane, options.labels);
  const nodes = runs.ends.length;
  if (next.length < nodes) {
    next = new Int32Array(nodes);
    touchAtEntry = new Int32Array(nodes);
    touchAtExit = new Int32Array(nodes);
    parent = new Int32Array(nodes / 2);
  }
  const { holes = 'even-odd', inset = 0, k = 0 } = options;
  const contours: PlaneContours[] = [];
  for (let n = 0; n < runs.labels.length; n++) {
    const onEdges = holesAs(holes, traceLabel(runs, n, k, inset === 0));
    contours.push(inset === 0 ? onEdges : insetContours(onEdges, inset));
  }
  return contours;
}
