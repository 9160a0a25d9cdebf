/**
 * Everything that can be set, with its default, from `config.json` of the data directory, the environment and flags (later ones win).
 * Filled in by the lead; modules take the part they need as an argument and never read the environment themselves.
 */
export interface Configuration {
  readonly home: string;
  readonly host: string;
  readonly port: number;
}
