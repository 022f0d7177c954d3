/** An encoded value as a specification would write it: `{s1, s2}`, `<<1, 2>>`, `[epoch |-> 1]`. */
export function showValue(encoded: unknown): string {
  if (typeof encoded !== "object" || encoded === null) {
    return typeof encoded === "string" ? `"${encoded}"` : String(encoded);
  }
  if (Array.isArray(encoded)) return `<<${encoded.map(showValue).join(", ")}>>`;
  const record = encoded as { readonly [name: string]: unknown };
  if (typeof record["#id"] === "string") return record["#id"];
  if (Array.isArray(record["#set"])) return `{${record["#set"].map(showValue).join(", ")}}`;
  if (Array.isArray(record["#map"])) {
    const entries = record["#map"] as readonly (readonly [unknown, unknown])[];
    return `(${entries.map(([key, value]) => `${showValue(key)} :> ${showValue(value)}`).join(", ")})`;
  }
  return `[${Object.entries(record)
    .map(([name, value]) => `${name} |-> ${showValue(value)}`)
    .join(", ")}]`;
}
