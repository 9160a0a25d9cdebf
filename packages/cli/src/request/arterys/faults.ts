/** What is wrong with an answer: collected, so that an integrator sees all of it in one run. */

/** Errors make the answer invalid; a warning is something that the viewer of the answer tolerates. */
export interface Fault {
  readonly severity: 'error' | 'warning';
  /** Such as `Content-Type`, `parts[2].label`, `elem_2`. */
  readonly part: string;
  readonly rule: string;
  readonly expected: string;
  readonly actual: string;
  readonly next: string;
}

type Words = Omit<Fault, 'severity' | 'actual'> & { readonly actual: unknown };

export class Faults {
  readonly list: Fault[] = [];

  error(fault: Words): void {
    this.list.push({ severity: 'error', ...fault, actual: shown(fault.actual) });
  }

  warning(fault: Words): void {
    this.list.push({ severity: 'warning', ...fault, actual: shown(fault.actual) });
  }

  get errors(): number {
    return this.list.filter(({ severity }) => severity === 'error').length;
  }
}

const LONGEST = 120;

/** A value of the answer in a line of a message. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value instanceof Said) return value.text;
  const text = JSON.stringify(value) ?? String(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** Words of ours about what was found, as opposed to a value of the answer, which is quoted. */
export class Said {
  constructor(readonly text: string) {}
}

export const said = (text: string): Said => new Said(text);
