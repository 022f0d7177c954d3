import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addressIn,
  freeSubnets,
  overlap,
  parseRoutes,
  parseSubnet,
  showSubnet,
  type Subnet,
} from "./subnet.ts";

const subnets: fc.Arbitrary<Subnet> = fc
  .tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255), fc.integer({ min: 0, max: 32 }))
  .map(([a, b, c, d, bits]) => parseSubnet(`${a}.${b}.${c}.${d}/${bits}`)!);

/** The slow twin: as ranges of numbers. */
function overlapAsRanges(a: Subnet, b: Subnet): boolean {
  const range = ({ first, bits }: Subnet): [number, number] => {
    const from = first >>> 0;
    return [from, from + 2 ** (32 - bits) - 1];
  };
  const [[aFrom, aTo], [bFrom, bTo]] = [range(a), range(b)];
  return aFrom <= bTo && bFrom <= aTo;
}

describe("subnets", () => {
  test("are read and shown", () => {
    expect(showSubnet(parseSubnet("10.1.2.3/24")!)).toBe("10.1.2.0/24");
    expect(showSubnet(parseSubnet("198.18.255.255/26")!)).toBe("198.18.255.192/26");
    expect(addressIn(parseSubnet("192.168.7.64/26")!, 2)).toBe("192.168.7.66");
    for (const text of [
      "",
      "10.0.0.0",
      "10.0.0/24",
      "256.0.0.0/8",
      "10.0.0.0/33",
      "a.b.c.d/8",
      "10.0.0.0/8x",
    ]) {
      expect(parseSubnet(text)).toBeUndefined();
    }
  });

  test("overlap as the ranges do that they are", () => {
    fc.assert(fc.property(subnets, subnets, (a, b) => overlap(a, b) === overlapAsRanges(a, b)));
  });

  test("that are free overlap none that is used, wherever the search begins, and all free ones are found", () => {
    const used = fc.array(
      fc.oneof(
        subnets.filter(({ bits }) => bits > 0),
        fc.constantFrom("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16").map((text) => parseSubnet(text)!),
      ),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(used, fc.nat(2 ** 16), (taken, start) => {
        const free = [...freeSubnets(taken, start)];
        expect(free.some((one) => taken.some((other) => overlapAsRanges(one, other)))).toBe(false);
        const count = (from: number): number => [...freeSubnets(taken, from)].length;
        expect(new Set(free.map(showSubnet)).size).toBe(free.length);
        expect(free.length).toBe(count(0));
      }),
      { numRuns: 30 },
    );
  });

  test("of the kernel's routing table are read, the default route as everything", () => {
    const table = [
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
      "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0",
      "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0",
      "tun0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0",
      "",
    ].join("\n");
    expect(parseRoutes(table).map(showSubnet)).toEqual(["0.0.0.0/0", "172.17.0.0/16", "10.0.0.0/8"]);
    expect(parseRoutes("")).toEqual([]);
  });
});
