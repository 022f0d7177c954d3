import { FiniteSet, ModelError, nameOf, type Identity, type Value } from "../../model/index.ts";

/** A value as JSON: identities `{"#id": "s1"}`, sets `{"#set": [...]}`, tables of identities `{"#map": [[key, value], ...]}`. */
export type EncodedValue =
  null | boolean | number | string | readonly EncodedValue[] | { readonly [name: string]: EncodedValue };

/** Throws ModelError for a record whose field begins with `#`. */
export function encodeValue(value: Value): EncodedValue {
  if (typeof value === "symbol") return { "#id": nameOf(value) };
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof FiniteSet) return { "#set": [...value].map(encodeValue) };
  if (Array.isArray(value)) return (value as readonly Value[]).map(encodeValue);
  const result: Record<string, EncodedValue> = {};
  const record = value as Readonly<Record<string | symbol, Value>>;
  for (const name of Object.keys(record)) {
    if (name.startsWith("#")) throw new ModelError(`field '${name}': names of fields do not begin with '#'`);
    result[name] = encodeValue(record[name] as Value);
  }
  const entries = Object.getOwnPropertySymbols(record);
  if (entries.length > 0) {
    result["#map"] = entries.map((key) => [
      encodeValue(key as unknown as Identity),
      encodeValue(record[key] as Value),
    ]);
  }
  return result;
}

export function decodeValue(encoded: EncodedValue): Value {
  if (typeof encoded !== "object" || encoded === null) return encoded;
  if (Array.isArray(encoded)) return (encoded as readonly EncodedValue[]).map(decodeValue);
  const record = encoded as { readonly [name: string]: EncodedValue };
  if (typeof record["#id"] === "string") return identityNamed(record["#id"]);
  if (Array.isArray(record["#set"])) return new FiniteSet(record["#set"].map(decodeValue));
  const result: Record<string | symbol, Value> = {};
  for (const [name, field] of Object.entries(record)) {
    if (name === "#map") {
      for (const [key, entry] of field as [EncodedValue, EncodedValue][]) {
        result[decodeValue(key) as unknown as symbol] = decodeValue(entry);
      }
    } else result[name] = decodeValue(field);
  }
  return result as Value;
}

/** Identities are symbols of the global registry. */
export function identityNamed(name: string): Identity {
  return Symbol.for(name) as unknown as Identity;
}
