/** Family, version and structure as the registry holds them; filled in by its owner. */
export interface ModelFamily {
  readonly id: string;
  readonly canonicalName: string;
}

export interface ModelVersion {
  readonly id: string;
  readonly familyId: string;
  /** `name:version`. */
  readonly address: string;
  readonly state: 'active' | 'retired';
}
