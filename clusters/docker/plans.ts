import type { ServerName } from "../fault.ts";
import { all } from "./all.ts";
import { archiveOf } from "./archive.ts";
import { configurationOf, dynamicConfigurationOf, type Peer, type Settings } from "./configuration.ts";
import { toolText } from "./data-files.ts";
import type { Disks } from "./disks.ts";
import type { Engine } from "./engine.ts";
import {
  falseClockEnvironment,
  falseClockFiles,
  falseClockLibrary,
  falseClockUser,
  type Place,
  type Preparation,
} from "./faults/index.ts";
import { Member } from "./member.ts";
import type { DockerClusterOptions } from "./options.ts";

const memoryBytesDefault = 768 * 2 ** 20;

export interface MembersWanted {
  readonly engine: Engine;
  readonly options: DockerClusterOptions;
  readonly place: Place;
  readonly run: string;
  readonly network: string;
  /** Voters, observers, spares. */
  readonly names: readonly ServerName[];
  readonly voters: number;
  readonly spares: number;
  addressOf(position: number): string;
  readonly disks: Disks | undefined;
  readonly prepared: ReadonlySet<Preparation>;
}

export interface PlannedMembers {
  readonly members: readonly Member[];
  /** Makes their containers, with the configuration and what prepared faults need inside; no server is started. */
  create(): Promise<void>;
}

export async function planMembers(wanted: MembersWanted): Promise<PlannedMembers> {
  const { engine, names, options, place, prepared } = wanted;
  const libraries = prepared.has("false-clock")
    ? await falseClockLibraries(place)
    : new Map<string, string>();
  const members = names.map((name, i) => {
    // A spare is of the first server's release.
    const image = place.images[i] ?? place.images[0]!;
    const library = libraries.get(image);
    const { publishPort, memoryBytes = memoryBytesDefault, jvmFlags = [] } = options;
    return new Member(engine, {
      name,
      number: i + 1,
      run: wanted.run,
      labels: place.labels,
      network: wanted.network,
      address: wanted.addressOf(i),
      image,
      sideImage: place.sideImage,
      jvmFlags,
      environment: library === undefined ? [] : falseClockEnvironment(library),
      ...(library === undefined ? {} : { user: falseClockUser }),
      memoryBytes,
      slowLinks: prepared.has("slow-links"),
      ...(wanted.disks === undefined ? {} : { disk: wanted.disks.deviceOf(name) }),
      ...(publishPort === undefined ? {} : { publishedPort: publishPort + i }),
    });
  });
  const tools = prepared.has("slow-links") ? { "zabcheck/slow-links.pl": toolText("slow-links.pl") } : {};
  const archive = await archiveOf(tools);
  return {
    members,
    create: async () => {
      await all(members, (member) => member.create(filesOf(wanted, member), archive));
    },
  };
}

function filesOf(wanted: MembersWanted, member: Member): Record<string, string> {
  const { options, prepared, voters, spares, names } = wanted;
  const { number, disk } = member.plan;
  const settings: Settings = {
    ...options.settings,
    ...(disk === undefined ? {} : { dataLogDir: "/data" }),
  };
  // A spare's configuration names itself, so that it knows its own ports, and the others do not know it yet.
  const known = names.length - spares;
  const peers = names
    .map((_, i): Peer => ({
      number: i + 1,
      address: wanted.addressOf(i),
      type: i >= voters && i < known ? "observer" : "participant",
    }))
    .filter((peer) => peer.number <= known || peer.number === number);
  const own = peers.find((peer) => peer.number === number)!.type;
  return {
    ...(prepared.has("spare")
      ? dynamicConfigurationOf(peers, settings, own)
      : { "conf/zoo.cfg": configurationOf(peers, settings, own) }),
    ...(prepared.has("false-clock") ? falseClockFiles : {}),
    "data/myid": `${number}\n`,
  };
}

/** The library that makes clocks false, by image. */
async function falseClockLibraries(place: Place): Promise<ReadonlyMap<string, string>> {
  const images = [...new Set(place.images)];
  const found = await all(images, (image) => falseClockLibrary(place, image));
  return new Map(
    images.flatMap((image, i) => {
      const library = found[i]!;
      return "library" in library ? [[image, library.library] as const] : [];
    }),
  );
}
