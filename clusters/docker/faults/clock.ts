import type { Member } from "../member.ts";
import { tryOut } from "../try-out.ts";
import { type FaultEntry, hits, type Mechanism, oneLine, type Place } from "./effect.ts";

/** In the volume /logs, which the side container has, too. libfaketime reads it once a second. */
const file = "logs/false-clock";

/** What a server's container has from its start on, so that its clock can be false later. */
export const falseClockFiles: Readonly<Record<string, string>> = { [file]: "+0\n", "conf/": "" };

/**
 * The official image's user, from the first process on: libfaketime makes a semaphore that is named after the process
 * and that nobody else can open, so a process cannot become somebody else.
 */
export const falseClockUser = "1000:1000";

/**
 * Only the wall clock is false: Java's nanoTime, on which ZooKeeper's sessions and elections run, is monotonic, and a
 * thread that waits for a time must not wait for another one.
 */
export function falseClockEnvironment(library: string): readonly string[] {
  return [
    `LD_PRELOAD=${library}`,
    `FAKETIME_TIMESTAMP_FILE=/${file}`,
    "FAKETIME_CACHE_DURATION=1",
    "FAKETIME_DONT_FAKE_MONOTONIC=1",
    // Its remedy for C libraries before 2.30 has Java's timed waits return at once with later ones.
    "FAKETIME_FORCE_MONOTONIC_FIX=0",
    "NO_FAKE_STAT=1",
  ];
}

const offsets = new WeakMap<Member, number>();

/** How far the server's wall clock is off; jumps add up. */
export const wallClock: Mechanism = {
  // The file goes with its volume.
  undo: () => [],
  async settle(member, inForce) {
    let offsetMs = 0;
    for (const fault of hits(member.name, inForce, "clock")) {
      if (fault.kind === "clock") offsetMs += fault.offsetMs;
    }
    if ((offsets.get(member) ?? 0) === offsetMs) return;
    const seconds = (offsetMs / 1000).toFixed(3);
    await member.side.run(`echo '${offsetMs < 0 ? "" : "+"}${seconds}' >/${file}`);
    offsets.set(member, offsetMs);
  },
};

/** The library in an image, and whether it works there. */
export async function falseClockLibrary(
  { engine, labels }: Place,
  image: string,
): Promise<{ readonly library: string } | { readonly lacks: string }> {
  const script = `library=$(ls /usr/lib/*/faketime/libfaketimeMT.so.1 2>/dev/null | head -n 1)
    [ -n "$library" ] || exit 3
    now=$(date +%s); later=$(LD_PRELOAD=$library FAKETIME=+3600 date +%s)
    [ $((later - now)) -ge 3590 ] && echo "$library"`;
  const { code, output } = await tryOut(engine, labels, { image, script });
  if (code === 0) return { library: output.trim().split(/\s+/).at(-1) ?? "" };
  return {
    lacks:
      code === 3
        ? `${image} has no libfaketime: an image made by \`zabcheck image\` has it`
        : `libfaketime does not work in ${image}: ${oneLine(output)}`,
  };
}

export const clock: FaultEntry = {
  how: "libfaketime in the server's process",
  mechanisms: [wallClock],
  needs: "false-clock",
  async probe(place) {
    for (const image of new Set([
      ...place.images,
      ...(place.otherImage === undefined ? [] : [place.otherImage]),
    ])) {
      const found = await falseClockLibrary(place, image);
      if ("lacks" in found) return found.lacks;
    }
    return undefined;
  },
};

export const clockRate: FaultEntry = {
  how: "nothing does it",
  mechanisms: [],
  probe: () =>
    Promise.resolve(
      "a Java machine whose monotonic clock runs at another rate waits wrongly (libfaketime fakes its clocks, not the kernel's waits)",
    ),
};
