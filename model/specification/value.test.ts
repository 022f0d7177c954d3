import { describe, expect, it } from "vitest";
import { clients, mention, servers, type Identity } from "./identity.ts";
import { greatest, isMeasuring, measuring } from "./measure.ts";
import { permute, setOf } from "./value.ts";

const [one, two] = clients(2, { symmetric: true }).members;
const [server] = servers(1, { symmetric: true }).members;

describe("a text that mentions identities", () => {
  const swapped = new Map<Identity, Identity>([
    [one!, two!],
    [two!, one!],
  ]);

  it("is renamed with them, wherever it stands", () => {
    const path = `/election/${mention(one!)}.1-candidate-0000000000`;
    const image = path.replace("<c1>", "<c2>");
    expect(permute({ paths: [path], seen: setOf(path), owner: mention(two!) }, swapped)).toEqual({
      paths: [image],
      seen: setOf(image),
      owner: "<c1>",
    });
  });

  it("stays as it is where it mentions others, or only looks like it", () => {
    for (const text of [mention(server!), "c1", "<c10>", "<<c3>>", "a < b", ""])
      expect(permute(text, swapped)).toBe(text);
  });
});

describe("a measure", () => {
  const measure = { name: "woken", most: 3, of: (now: unknown) => now as number };

  it("is told by witnesses, from one on", () => {
    const witnesses = measuring(measure).map(({ name, seen }) => ({
      name,
      seen: [0, 2, 1].some((now) => seen(now as never)),
    }));
    expect(witnesses.map(({ seen }) => seen)).toEqual([true, true, false]);
    expect(greatest(measure, witnesses)).toBe(2);
    expect(greatest(measure, [])).toBe(0);
    expect(witnesses.every(({ name }) => isMeasuring([measure], name))).toBe(true);
    expect(isMeasuring([measure], "SomebodyLeads")).toBe(false);
  });
});
