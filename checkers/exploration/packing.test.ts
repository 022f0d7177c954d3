import fc from "fast-check";
import { expect, it } from "vitest";
import { servers, table, type Model } from "../../model/index.ts";
import { layoutOf } from "./layout.ts";
import { firstPacking, Packing, widened, widestPacking } from "./packing.ts";

const set = servers(3, { symmetric: true });
const layout = layoutOf({
  name: "packed",
  parameters: {},
  identities: [set as unknown as Model<unknown>["identities"][number]],
  initial: [
    {
      role: table(set, () => 0),
      channel: table(set, () => table(set, () => 0)),
      clock: 0,
    },
  ],
  actions: [],
} as Model<unknown>);
const components = layout.components.length;

/** Bits of each variable's fields, and ids that fit. */
const packed = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 3, maxLength: 3 }).chain((bits) =>
  fc.record({
    bits: fc.constant(bits),
    ids: fc.tuple(
      ...layout.components.map(({ variable }) =>
        fc.integer({ min: 0, max: 2 ** (bits[variable.index] as number) - 1 }),
      ),
    ),
  }),
);

it("gives back what was packed, whatever lies around it", () => {
  fc.assert(
    fc.property(packed, fc.integer({ min: 0, max: 5 }), ({ bits, ids }, at) => {
      const packing = new Packing(layout, bits);
      const row = new Int32Array(at + packing.words + 3).fill(-1);
      packing.pack(Int32Array.from(ids), row, at);
      const unpacked = new Int32Array(components);
      packing.unpack(row, at, unpacked);
      expect([...unpacked]).toEqual(ids);
      expect(ids.map((_, component) => packing.idAt(component, row, at))).toEqual(ids);
      expect([...row.subarray(0, at), ...row.subarray(at + packing.words)]).toEqual(
        Array.from({ length: at + 3 }, () => -1),
      );
    }),
  );
});

it("gives each component bits of its own", () => {
  fc.assert(
    fc.property(packed, ({ bits }) => {
      const packing = new Packing(layout, bits);
      const used = new Int32Array(packing.words);
      for (const { index, variable } of layout.components) {
        const word = packing.word[index] as number;
        expect((used[word] as number) & packing.fieldMask(index)).toBe(0);
        used[word] = (used[word] as number) | packing.fieldMask(index);
        expect(packing.fits(index, 2 ** (bits[variable.index] as number) - 1)).toBe(true);
        expect(packing.fits(index, 2 ** (bits[variable.index] as number))).toBe(false);
      }
    }),
  );
});

it("is widened where a variable has outgrown it, and is never narrowed", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 3, maxLength: 3 }),
      fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 3, maxLength: 3 }),
      (counts, more) => {
        const before = firstPacking(counts);
        const grown = counts.map((count, variable) => count + (more[variable] as number));
        const after = widened(before, grown);
        for (const [variable, width] of after.entries()) {
          expect(width).toBeGreaterThanOrEqual(before[variable] as number);
          expect(2 ** width).toBeGreaterThanOrEqual(grown[variable] as number);
        }
      },
    ),
  );
});

it("has a word for each component where it is never to be outgrown", () => {
  expect(widestPacking(layout).words).toBe(components);
});
