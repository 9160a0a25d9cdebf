/** Family, version and structure as the registry holds them; their SegInt fields are those of schemas.ts. */
import type { FamilyFields, StructureFields, VersionFields } from './schemas.js';

export interface ModelFamily extends FamilyFields {
  readonly id: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** SegInt's message of this family is stored (issue C fills it). */
  readonly hasProtobuf: boolean;
}

/** What of a study the model looks at, and what it says. */
export type ModelKind = 'segmentation' | 'classification' | 'regression';

export interface BundleChannel {
  readonly name: string;
  readonly modalities: readonly string[];
  readonly units: string;
  readonly optional: boolean;
}

export interface BundleFile {
  /** Relative to the bundle's folder. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ModelVersion extends Omit<VersionFields, 'createdOn'> {
  readonly id: string;
  readonly familyId: string;
  /** `name:version`. */
  readonly address: string;
  readonly name: string;
  readonly version: string;
  readonly state: 'active' | 'retired';
  /** 'shipped': part of the program, cannot be removed, follows its version. */
  readonly origin: 'added' | 'shipped';
  readonly kind: ModelKind;
  /** 'features': a vector of numbers (scikit-learn, XGBoost); such a model cannot be asked about a study. */
  readonly takes: 'images' | 'features';
  readonly createdOn: Date;
  readonly addedAt: Date;
  /** Free text of the bundle, written into every object: "not a medical device: research use only". */
  readonly regulatoryStatus: string;
  readonly manufacturer: string;
  readonly modelName: string;
  readonly intendedUse: string;
  readonly structures: readonly StructureFields[];
  readonly classes: readonly string[];
  readonly channels: readonly BundleChannel[];
  /** SHA-256 of the canonical zip: the same for the same bundle, wherever it came from. */
  readonly sha256: string;
  readonly bytes: number;
  /** SHA-256 of the network's weights; 'none' without. */
  readonly weightsSha256: string;
  readonly files: readonly BundleFile[];
  /** Why this program cannot run it (yet), for people; undefined when it can. */
  readonly problem?: string;
  /** A Python module that was stored with it: never run, only served back. */
  readonly pythonModule?: { readonly name: string; readonly sha256: string; readonly bytes: number };
}
