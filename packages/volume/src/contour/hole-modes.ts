/**
 * Rings and holes along voxel edges to keyhole polygons, or to pieces without holes (table at HoleMode).
 *
 * Both modes draw channels from a hole's highest line: from its leftmost vertex there to the left, until a ring of the same
 * region is met. That ring begins on a higher line, or on the same one further left, so the channels are a tree with the
 * outer ring as root, and one channel a hole makes one polygon. 'separate' draws a second channel from the rightmost vertex
 * to the right; then every hole has two ways out, no channel has the same piece on both sides, and the pieces fall apart
 * as simple polygons. At most one channel ends in a point, as a point of a ring has at most one side that lies
 * horizontally inside of the region; so splicing is a swap of two successors, with no search for the right angle.
 */
import { ContourError, type HoleMode, type PlaneContours, type Ring } from './rings.js';

const CORNER = 1;
const CHANNEL = 2;
/** Most lattice points in the box of a ring that has holes: 256 MB of scratch, a slice of 8191 × 8191. */
const MAX_LATTICE_POINTS = 2 ** 26;

// Nodes: every lattice point on the vertical edges of a group's rings; corners are among them.
let count = 0;
let nodeX = new Int32Array(1024);
let nodeY = new Int32Array(1024);
let next = new Int32Array(1024);
let flags = new Uint8Array(1024);
/** 1 + the node of another ring at the same point (a diagonal touch); 0: none. */
let twin = new Int32Array(1024);

// Lattice of the group's box: 1 + the first node at each point.
let lattice = new Int32Array(0);
let originX = 0;
let originY = 0;
let width = 0;
let height = 0;

function grow(): void {
  const size = 2 * nodeX.length;
  const wide = (array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
    const copy = new Int32Array(size);
    copy.set(array);
    return copy;
  };
  nodeX = wide(nodeX);
  nodeY = wide(nodeY);
  next = wide(next);
  twin = wide(twin);
  const copy = new Uint8Array(size);
  copy.set(flags);
  flags = copy;
}

function addNode(x: number, y: number, flag: number): number {
  if (count === nodeX.length) grow();
  nodeX[count] = x;
  nodeY[count] = y;
  next[count] = count + 1;
  flags[count] = flag;
  twin[count] = 0;
  return count++;
}

function addRingNode(x: number, y: number, flag: number): void {
  const node = addNode(x, y, flag);
  const column = x - originX;
  const row = y - originY;
  if (!(column >= 0 && row >= 0 && column < width && row < height))
    throw new ContourError('not-voxel-edges', `A hole leaves its outer ring at (${x - 0.5}, ${y - 0.5})`);
  const cell = row * width + column;
  if (lattice[cell] === 0) lattice[cell] = node + 1;
  else twin[node] = lattice[cell];
}

function requireLattice(ring: Ring): void {
  const n = ring.length;
  for (let p = 0, q = n - 2; p < n; q = p, p += 2) {
    const onCorner = Number.isInteger(ring[p] + 0.5) && Number.isInteger(ring[p + 1] + 0.5);
    if (!onCorner || (ring[p] === ring[q]) === (ring[p + 1] === ring[q + 1]))
      throw new ContourError('not-voxel-edges', 'A ring does not run along voxel edges', {
        where: `vertex ${p / 2}`,
        next: 'Give rings as tracePlane makes them: half-integer vertices, edges along i or j',
      });
  }
}

/** Enters a ring; returns its first node. */
function addRing(ring: Ring): number {
  const first = count;
  const n = ring.length;
  for (let p = 0; p < n; p += 2) {
    const x = ring[p] + 0.5;
    const y = ring[p + 1] + 0.5;
    const q = p + 2 < n ? p + 2 : 0;
    addRingNode(x, y, CORNER);
    if (ring[q] !== ring[p]) continue;
    const yTo = ring[q + 1] + 0.5;
    const direction = yTo > y ? 1 : -1;
    for (let between = y + direction; between !== yTo; between += direction) addRingNode(x, between, 0);
  }
  next[count - 1] = first;
  return first;
}

/** The leftmost (side -1) or rightmost (side 1) node on the highest line of the ring of nodes from … to - 1. */
function topNode(from: number, to: number, side: -1 | 1): number {
  let top = from;
  for (let node = from + 1; node < to; node++)
    if (nodeY[node] < nodeY[top] || (nodeY[node] === nodeY[top] && (nodeX[node] - nodeX[top]) * side > 0)) top = node;
  return top;
}

function swapNext(a: number, b: number): void {
  const was = next[a];
  next[a] = next[b];
  next[b] = was;
}

/** Channel from `node` along i to the nearest ring point. */
function drawChannel(node: number, side: -1 | 1): void {
  const row = (nodeY[node] - originY) * width;
  let column = nodeX[node] - originX + side;
  while (column >= 0 && column < width && lattice[row + column] === 0) column += side;
  if (column < 0 || column >= width)
    throw new ContourError('not-voxel-edges', `A hole at row ${nodeY[node] - 0.5} lies outside of its outer ring`);
  const hit = lattice[row + column] - 1;
  // Each end is passed twice: once on the way in, once on the way out.
  const nodeAgain = addNode(nodeX[node], nodeY[node], CHANNEL);
  const hitAgain = addNode(nodeX[hit], nodeY[hit], CHANNEL);
  next[hitAgain] = next[hit];
  next[hit] = nodeAgain;
  next[nodeAgain] = next[node];
  next[node] = hitAgain;
  flags[hit] |= CHANNEL;
  flags[node] |= CHANNEL;
}

/** The cycle of nodes from `start` as a ring; `straighten` leaves out vertices on straight edges. */
function takeRing(start: number, straighten: boolean): Ring {
  const points: number[] = [];
  let node = start;
  do {
    if (flags[node] !== 0) points.push(nodeX[node] - 0.5, nodeY[node] - 0.5);
    const following = next[node];
    next[node] = -1;
    node = following;
  } while (node !== start);
  if (!straighten) return Float64Array.from(points);
  const n = points.length;
  let kept = 0;
  const ring = new Float64Array(n);
  for (let p = 0, before = n - 2; p < n; before = p, p += 2) {
    const after = p + 2 < n ? p + 2 : 0;
    if ((points[before] === points[p]) === (points[p] === points[after])) continue;
    ring[kept++] = points[p];
    ring[kept++] = points[p + 1];
  }
  return ring.slice(0, kept);
}

function openBox(outer: Ring): void {
  let x0 = Infinity;
  let y0 = Infinity;
  let x1 = -Infinity;
  let y1 = -Infinity;
  for (let p = 0; p < outer.length; p += 2) {
    x0 = Math.min(x0, outer[p]);
    x1 = Math.max(x1, outer[p]);
    y0 = Math.min(y0, outer[p + 1]);
    y1 = Math.max(y1, outer[p + 1]);
  }
  originX = x0 + 0.5;
  originY = y0 + 0.5;
  width = x1 - x0 + 1;
  height = y1 - y0 + 1;
  if (!(width * height <= MAX_LATTICE_POINTS))
    throw new ContourError(
      'too-far',
      `A ring with holes spans ${width - 1} × ${height - 1} pixels, too many to cut it`,
    );
  if (lattice.length < width * height) lattice = new Int32Array(width * height);
}

function closeBox(): void {
  for (let node = 0; node < count; node++) {
    const column = nodeX[node] - originX;
    if (column >= 0 && column < width && nodeY[node] - originY < height && nodeY[node] >= originY)
      lattice[(nodeY[node] - originY) * width + column] = 0;
  }
  count = 0;
}

/** Highest, then leftmost first: the ring that a channel meets is always entered before the channel's own hole. */
function byTop(a: Ring, b: Ring): number {
  const top = (ring: Ring): readonly [number, number] => {
    let x = ring[0];
    let y = ring[1];
    for (let p = 2; p < ring.length; p += 2)
      if (ring[p + 1] < y || (ring[p + 1] === y && ring[p] < x)) {
        x = ring[p];
        y = ring[p + 1];
      }
    return [x, y];
  };
  const [ax, ay] = top(a);
  const [bx, by] = top(b);
  return ay - by || ax - bx;
}

/**
 * Where two rings touch diagonally, each of the two pixels of the structure keeps its own two edges, so that pieces do not
 * touch themselves there. A ring that touches itself (inset.ts wants it so) has that already.
 */
function partAtTouches(bounds: readonly number[]): void {
  for (let n = 0; n + 1 < bounds.length; n++)
    for (let node = bounds[n]; node < bounds[n + 1]; node++)
      if (twin[node] > 0 && twin[node] <= bounds[n]) swapNext(node, twin[node] - 1);
}

function openHoles(mode: 'keyhole' | 'separate', outer: Ring, holes: readonly Ring[]): Ring[] {
  openBox(outer);
  try {
    addRing(outer);
    const bounds = [count];
    for (const hole of [...holes].sort(byTop)) {
      addRing(hole);
      bounds.push(count);
    }
    if (mode === 'separate') partAtTouches(bounds);
    for (let n = 0; n < holes.length; n++) {
      const left = topNode(bounds[n], bounds[n + 1], -1);
      if (twin[left] === 0) drawChannel(left, -1);
      else if (mode === 'keyhole') swapNext(left, twin[left] - 1);
    }
    if (mode === 'keyhole') return [takeRing(0, false)];
    for (let n = 0; n < holes.length; n++) {
      const right = topNode(bounds[n], bounds[n + 1], 1);
      if (twin[right] === 0 && (flags[right] & CHANNEL) === 0) drawChannel(right, 1);
    }
    const pieces: Ring[] = [];
    for (let node = 0; node < count; node++) if (next[node] >= 0) pieces.push(takeRing(node, true));
    return pieces;
  } finally {
    closeBox();
  }
}

/**
 * The same contours in another hole mode. `contours` must be of mode 'even-odd', along voxel edges, as tracePlane gives
 * them. Throws ContourError `not-voxel-edges` (also when a hole is not inside of its outer ring) and `too-far`.
 */
export function holesAs(mode: HoleMode, contours: PlaneContours): PlaneContours {
  if (mode === contours.mode) return contours;
  if (contours.mode !== 'even-odd' || mode === 'even-odd')
    throw new ContourError('not-voxel-edges', `Contours of mode '${contours.mode}' cannot become '${mode}'`, {
      next: "Trace with holes: 'even-odd' and turn that into the other modes",
    });
  const { rings, holeOf } = contours;
  const holesOf = new Map<number, Ring[]>();
  for (let n = 0; n < rings.length; n++) {
    if (holeOf[n] < 0) continue;
    const list = holesOf.get(holeOf[n]);
    if (list === undefined) holesOf.set(holeOf[n], [rings[n]]);
    else list.push(rings[n]);
  }
  const out: Ring[] = [];
  for (let n = 0; n < rings.length; n++) {
    if (holeOf[n] >= 0) continue;
    const holes = holesOf.get(n);
    if (holes === undefined) {
      out.push(rings[n]);
      continue;
    }
    requireLattice(rings[n]);
    holes.forEach(requireLattice);
    for (const ring of openHoles(mode, rings[n], holes)) out.push(ring);
  }
  return Object.freeze({ ...contours, mode, rings: out, holeOf: out.map(() => -1) });
}
