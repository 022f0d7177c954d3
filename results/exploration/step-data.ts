import { showValue, type Counterexample, type EncodedValue } from "../../checkers/index.ts";

/** What the page's script steps through: texts only. */
export interface StepData {
  readonly lanes: readonly string[];
  /** Variables with an entry for each lane, a row of the table each. */
  readonly rows: readonly string[];
  /** Entries that stand alone, in order. */
  readonly others: readonly string[];
  readonly initial: { readonly [entry: string]: string };
  /** For each step: [entry, before, after]. */
  readonly steps: readonly (readonly (readonly [string, string, string])[])[];
  /** For each step what it is in the words of the model's users; "" where its name and parameters tell. */
  readonly words: readonly string[];
}

export function stepDataOf(
  lanes: readonly string[],
  { initial, steps }: Counterexample,
  words: readonly (string | null)[],
): StepData {
  const entries = new Map<string, string>();
  for (const [name, value] of Object.entries(initial as { readonly [name: string]: EncodedValue })) {
    collect(name, value, entries);
  }
  const rows = new Set<string>();
  const others: string[] = [];
  for (const entry of entries.keys()) {
    const [, name, lane] = /^(\w+)\[([^\]]+)\]$/.exec(entry) ?? [];
    if (name !== undefined && lane !== undefined && lanes.includes(lane)) rows.add(name);
    else others.push(entry);
  }
  return {
    lanes: lanes.filter((lane) => lane !== ""),
    rows: [...rows],
    others,
    words: steps.map((_, index) => words[index] ?? ""),
    initial: Object.fromEntries(entries),
    steps: steps.map(({ changes }) =>
      changes.map(({ entry, before, after }) => [entry, showValue(before), showValue(after)] as const),
    ),
  };
}

/** Tables of identities fall into entries, as the engine names them: "msgs[s1][s2]". */
function collect(name: string, value: EncodedValue, into: Map<string, string>): void {
  const table = (value as { readonly "#map"?: readonly (readonly [EncodedValue, EncodedValue])[] } | null)?.[
    "#map"
  ];
  if (table === undefined || !table.every(([key]) => isIdentity(key))) {
    into.set(name, showValue(value));
    return;
  }
  for (const [key, entry] of table) collect(`${name}[${showValue(key)}]`, entry, into);
}

function isIdentity(key: EncodedValue): boolean {
  return typeof key === "object" && key !== null && "#id" in key;
}
