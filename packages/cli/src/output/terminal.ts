import { printable, printableJson } from './printable.js';

/** Where a command prints: people read text on stdout, machines read one JSON document with `--json`. */
export interface Terminal {
  readonly json: boolean;
  /** Text for people; silent with `--json`. */
  print(text: string): void;
  /** The result for machines; silent without `--json`. */
  document(value: unknown): void;
}

export function terminal(json: boolean, out: (text: string) => void = (text) => process.stdout.write(text)): Terminal {
  return {
    json,
    print: (text) => {
      if (!json) out(`${printable(text)}\n`);
    },
    document: (value) => {
      if (json) out(`${printableJson(JSON.stringify(value, undefined, 2))}\n`);
    },
  };
}
