import { z } from "zod";

/** Options that several workloads have. */

/** Of the operations of a worker, about how many are of one kind, beside the weights of the others. */
export const weight = (usual: number): z.ZodType<number> => z.coerce.number().min(0).max(1000).default(usual);

export const count = (usual: number, min: number, max: number): z.ZodType<number> =>
  z.coerce.number().int().min(min).max(max).default(usual);

/** A duration: up to this many ms. */
export const milliseconds = (usual: number): z.ZodType<number> =>
  z.coerce.number().min(0).max(3_600_000).default(usual);

/** 0 to 1. */
export const probability = (usual: number): z.ZodType<number> =>
  z.coerce.number().min(0).max(1).default(usual);

/** Bytes that data is filled up to. */
export const dataBytes: z.ZodType<number> = z.coerce.number().int().min(0).max(500_000).default(0);

/** A mistake to make, by its name: the checks have to notice. Empty for none. */
export const mistake = (...names: readonly string[]): z.ZodType<string> =>
  z.enum(["", ...names], { error: `expected one of: ${names.join(", ")}` }).default("");

/** Text filled up to a number of bytes. It has to be ASCII. */
export function filled(text: string, bytes: number): string {
  return text.padEnd(bytes, ".");
}
