/**
 * Several images at one position: a file that was sent twice (dropped), several time points, echoes, b-values or image
 * types in one series (sorted into volumes), or contradicting images (left, and refused by the assembly).
 */
import { cross, dot, type Watch } from '@isocenter/volume';
import { contentHashes } from './content.js';
import { type Finding, imagesByNumber, millimetres, SAME_POSITION_MM } from './findings.js';
import { type Frame, SPLIT_KEYS, type SplitKey } from './frame.js';

export interface Repeats {
  readonly volumes: readonly { readonly label: string; readonly frames: readonly Frame[] }[];
  readonly findings: readonly Finding[];
}

/** Up to so many repeated images, or this share of all, their contents are compared before any sorting is tried. */
const FEW_REPEATS = 16;
const SMALL_SHARE = 0.1;

/** `frames` share one plane. Reads whole files only where images repeat a position and the header does not explain it. */
export async function resolveRepeats(frames: readonly Frame[], watch?: Watch): Promise<Repeats> {
  const findings: Finding[] = [];
  let rest = frames;
  const places = () => placesOf(rest);
  if (!places()) return { volumes: [{ label: '', frames }], findings };

  const drop = async (candidates: readonly Frame[]) => {
    const { kept, dropped } = await dropEqual(rest, candidates, places() as Places, watch);
    if (dropped.length > 0) findings.push(duplicateFinding(dropped));
    rest = kept;
  };

  const named = rest.filter((frame) => frame.instance.SOPInstanceUID !== '');
  const sameInstance = repeatedBy(named, identityOf);
  if (sameInstance.length > 0) await drop(sameInstance);
  const repeated = repeatedFrames(rest, places() as Places);
  const few = Math.max(FEW_REPEATS, SMALL_SHARE * rest.length);
  let compared = false;
  if (repeated.length > 0 && repeated.length <= few) {
    await drop(repeated);
    compared = true;
  }
  let split = splitVolumes(rest, places() as Places);
  if (!split && !compared && repeated.length > 0) {
    await drop(repeatedFrames(rest, places() as Places));
    split = splitVolumes(rest, places() as Places);
  }
  if (!split) return { volumes: [{ label: '', frames: rest }], findings };
  if (split.volumes.length > 1)
    findings.push({
      kind: 'several-volumes',
      severity: 'note',
      message: `${split.volumes.length} volumes lie at the same positions; they differ in ${split.keys.join(' and ')}.`,
      next: 'Each is a part of its own; choose one by its number.',
    });
  return { volumes: split.volumes, findings };
}

function identityOf({ instance, index, tile }: Frame): string {
  return [instance.SOPInstanceUID, index, tile?.row, tile?.column].join('|');
}

type Places = ReadonlyMap<Frame, number>;

/** A number per distinct position, ascending along the normal; undefined when some frame has no place. */
function placesOf(frames: readonly Frame[]): Places | undefined {
  const [first] = frames;
  if (!first.rowDirection || !first.columnDirection) return undefined;
  const normal = cross(first.rowDirection, first.columnDirection);
  const along: { frame: Frame; z: number }[] = [];
  for (const frame of frames) {
    if (!frame.position) return undefined;
    along.push({ frame, z: dot(frame.position, normal) });
  }
  along.sort((a, b) => a.z - b.z);
  const places = new Map<Frame, number>();
  let place = 0;
  for (let n = 0; n < along.length; n++) {
    if (n > 0 && along[n].z - along[n - 1].z > SAME_POSITION_MM) place++;
    places.set(along[n].frame, place);
  }
  return places;
}

function repeatedBy<Key>(frames: readonly Frame[], key: (frame: Frame) => Key): readonly Frame[] {
  const counts = new Map<Key, number>();
  for (const frame of frames) counts.set(key(frame), (counts.get(key(frame)) ?? 0) + 1);
  return frames.filter((frame) => (counts.get(key(frame)) as number) > 1);
}

function repeatedFrames(frames: readonly Frame[], places: Places): readonly Frame[] {
  return repeatedBy(frames, (frame) => places.get(frame) as number);
}

/** Of candidates at one place with equal pixels and equal rescale only the first is kept. */
async function dropEqual(frames: readonly Frame[], candidates: readonly Frame[], places: Places, watch?: Watch) {
  const hashes = await contentHashes(candidates, watch);
  const seen = new Set<string>();
  const dropped: Frame[] = [];
  const kept = frames.filter((frame) => {
    const hash = hashes.get(frame);
    if (hash === undefined) return true;
    const key = `${places.get(frame)}|${hash}`;
    if (seen.has(key)) {
      dropped.push(frame);
      return false;
    }
    seen.add(key);
    return true;
  });
  return { kept, dropped };
}

function duplicateFinding(dropped: readonly Frame[]): Finding {
  const count = dropped.length;
  return {
    kind: 'duplicate',
    severity: 'note',
    message: `${count} image${count === 1 ? ' repeats' : 's repeat'} another with equal pixels at the same position and ${count === 1 ? 'was' : 'were'} left out.`,
    where: imagesByNumber(dropped.map(({ instance }) => instance)),
  };
}

interface Split {
  readonly keys: readonly SplitKey[];
  readonly volumes: Repeats['volumes'];
}

/**
 * The fewest and most telling keys whose groups hold each place once. A good split has exactly as many groups as the
 * fullest place has images; that keeps keys that differ in every slice (a time stamp) from passing.
 */
function splitVolumes(frames: readonly Frame[], places: Places): Split | undefined {
  const counts = new Map<number, number>();
  for (const place of places.values()) counts.set(place, (counts.get(place) ?? 0) + 1);
  const most = Math.max(...counts.values());
  if (most === 1) return { keys: [], volumes: [{ label: '', frames }] };
  const telling = SPLIT_KEYS.filter((key) => new Set(frames.map((frame) => frame.keys[key])).size > 1);
  for (const keys of combinations(telling)) {
    const groups = new Map<string, Frame[]>();
    for (const frame of frames) {
      const value = keys.map((key) => frame.keys[key] ?? '').join(' · ');
      const group = groups.get(value);
      if (group) group.push(frame);
      else groups.set(value, [frame]);
    }
    if (groups.size !== most) continue;
    const clean = [...groups.values()].every(
      (group) => new Set(group.map((frame) => places.get(frame))).size === group.length,
    );
    if (!clean) continue;
    const volumes = [...groups.entries()]
      .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
      .map(([value, group]) => ({ label: `${keys.join(' · ')} ${value}`, frames: group }));
    return { keys, volumes };
  }
  return undefined;
}

/** Single keys first, then pairs, then triples. */
function* combinations(keys: readonly SplitKey[]): Generator<readonly SplitKey[]> {
  for (const a of keys) yield [a];
  for (let a = 0; a < keys.length; a++) for (let b = a + 1; b < keys.length; b++) yield [keys[a], keys[b]];
  for (let a = 0; a < keys.length; a++)
    for (let b = a + 1; b < keys.length; b++)
      for (let c = b + 1; c < keys.length; c++) yield [keys[a], keys[b], keys[c]];
}

/** Positions (mm along the normal) that more than one image of the series claims. */
export function contestedPositions(frames: readonly Frame[]): readonly string[] {
  const places = placesOf(frames);
  if (!places) return [];
  const [first] = frames;
  const normal = cross(first.rowDirection as never, first.columnDirection as never);
  const seen = new Map<number, string>();
  for (const frame of repeatedFrames(frames, places))
    seen.set(places.get(frame) as number, millimetres(dot(frame.position as never, normal)));
  return [...seen.entries()].sort(([a], [b]) => a - b).map(([, text]) => text);
}
