/**
 * Which model made an object: its version, weights, configuration and run (DESIGN §8), in standard attributes. People read
 * Software Versions and the descriptions; `readProvenance` reads the Contribution Description of the Contributing Equipment
 * item (PS3.3 C.12.1) whose purpose is Processing Equipment, one `key: value` a line.
 */
import { Dataset } from '../dataset/dataset.js';
import { uidFrom } from '../dataset/uid.js';
import { codeItem, PROCESSING_EQUIPMENT } from './code.js';
import { dateTimeText } from './date-time.js';
import { LO_LENGTH, plainText, ST_LENGTH } from './text.js';

export interface Provenance {
  readonly modelName: string;
  readonly modelVersion: string;
  /** SHA-256 of the weights, hexadecimal; empty for a model without weights. */
  readonly weightsHash: string;
  /** SHA-256 of the configuration that was in force, hexadecimal. */
  readonly configurationHash: string;
  /** UID of the run that made the result. */
  readonly runUID: string;
  /** Version of Isocenter, such as '0.1.0'. */
  readonly softwareVersion: string;
  /** Commit of the code, when known. */
  readonly codeVersion?: string;
  /** Who is responsible for the model; default 'Isocenter'. */
  readonly manufacturer?: string;
}

const HEADING = 'Isocenter provenance';
const DEFAULT_MANUFACTURER = 'Isocenter';
const LINES: readonly (readonly [keyof Provenance, string])[] = [
  ['modelName', 'model'],
  ['modelVersion', 'model version'],
  ['weightsHash', 'weights'],
  ['configurationHash', 'configuration'],
  ['runUID', 'run'],
  ['softwareVersion', 'isocenter'],
  ['codeVersion', 'code'],
  ['manufacturer', 'manufacturer'],
];

/** 'name:version', the address of a model in the registry. */
export function modelId(provenance: Provenance): string {
  return plainText(`${provenance.modelName}:${provenance.modelVersion}`, LO_LENGTH);
}

export function manufacturerOf(provenance: Provenance): string {
  return plainText(provenance.manufacturer ?? '', LO_LENGTH) || DEFAULT_MANUFACTURER;
}

/** Values of Software Versions: the model, then this program. */
export function softwareVersionsOf(provenance: Provenance): readonly string[] {
  const own = `Isocenter ${provenance.softwareVersion}${provenance.codeVersion ? ` (${provenance.codeVersion})` : ''}`;
  return [modelId(provenance), plainText(own, LO_LENGTH)];
}

/** One UID per model version and weights: the "device" that made the object. */
export function deviceUIDOf(provenance: Provenance): string {
  return uidFrom(`isocenter device ${provenance.modelName}:${provenance.modelVersion} ${provenance.weightsHash}`);
}

/** Device Serial Number has to be something (PS3.3 C.7.5.2): the weights are what makes two copies of a model equal. */
export function serialNumberOf(provenance: Provenance): string {
  return plainText(provenance.weightsHash || provenance.configurationHash, LO_LENGTH) || 'none';
}

/** One sentence for descriptions that people read; at most `length` characters. */
export function describeProvenance(provenance: Provenance, length: number): string {
  const parts = [
    `Made by ${modelId(provenance)}, not reviewed`,
    provenance.weightsHash && `weights ${provenance.weightsHash}`,
    provenance.configurationHash && `configuration ${provenance.configurationHash}`,
    provenance.runUID && `run ${provenance.runUID}`,
    `Isocenter ${provenance.softwareVersion}`,
  ];
  return plainText(parts.filter(Boolean).join('; '), length);
}

/** The parameters of a Segmentation Algorithm Identification or SR device context. */
export function parametersOf(provenance: Provenance): string {
  return provenanceLines(provenance).join('; ');
}

function provenanceLines(provenance: Provenance): string[] {
  const lines: string[] = [];
  for (const [key, label] of LINES) {
    const value = provenance[key];
    if (value) lines.push(`${label}: ${plainText(value, LO_LENGTH * 2)}`);
  }
  return lines;
}

/** Adds Contributing Equipment Sequence (PS3.3 C.12.1) with the item that `readProvenance` reads. */
export function addContributingEquipment(dataset: Dataset, provenance: Provenance, now: Date): void {
  const item = new Dataset();
  item.set('PurposeOfReferenceCodeSequence', [codeItem(PROCESSING_EQUIPMENT)]);
  item.set('Manufacturer', manufacturerOf(provenance));
  item.set('ManufacturerModelName', plainText(provenance.modelName, LO_LENGTH));
  item.set('DeviceSerialNumber', serialNumberOf(provenance));
  item.set('DeviceUID', deviceUIDOf(provenance));
  item.set('SoftwareVersions', softwareVersionsOf(provenance));
  item.set('ContributionDateTime', dateTimeText(now));
  item.set('ContributionDescription', [HEADING, ...provenanceLines(provenance)].join('\r\n').slice(0, ST_LENGTH));
  dataset.set('ContributingEquipmentSequence', [item]);
}

/**
 * What an object of ours says of its making: every field that was written comes back. undefined when the object holds no
 * such statement (somebody else's, or stripped by a de-identifier).
 */
export function readProvenance(dataset: Dataset): Provenance | undefined {
  for (const item of dataset.items('ContributingEquipmentSequence')) {
    const lines = (item.string('ContributionDescription') ?? '').split(/\r?\n/);
    if (lines[0]?.trim() !== HEADING) continue;
    const said = new Map<string, string>();
    for (const line of lines.slice(1)) {
      const colon = line.indexOf(': ');
      if (colon > 0) said.set(line.slice(0, colon), line.slice(colon + 2).trim());
    }
    const found: Record<string, string> = {};
    for (const [key, label] of LINES) {
      const value = said.get(label);
      if (value !== undefined) found[key] = value;
    }
    const required = {
      modelName: '',
      modelVersion: '',
      weightsHash: '',
      configurationHash: '',
      runUID: '',
      softwareVersion: '',
    };
    return { ...required, ...found };
  }
  return undefined;
}
