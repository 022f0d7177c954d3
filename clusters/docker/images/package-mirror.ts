import { readdirSync, readFileSync } from "node:fs";
import { OperationError } from "../../../model/index.ts";
import { runTool } from "./tool.ts";

/** A source of Debian packages, as apt knows it. */
export interface PackageSource {
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
}

/**
 * The mirror from which this machine's own apt takes Debian's packages.
 * Throws OperationError "no-mirror" where none is configured.
 */
export function packageMirror(): string {
  const mirror = debianMirror(readSources());
  if (mirror !== undefined) return mirror;
  throw new OperationError(
    "no-mirror",
    "apt's configuration names no mirror of Debian's packages, from which the base image could be made",
    "give a base image with Java and a shell by --base IMAGE",
  );
}

/** The proxy that apt uses, for debootstrap's own downloads. */
export async function packageProxy(): Promise<NodeJS.ProcessEnv> {
  const { code, output } = await runTool("apt-config", ["dump", "--format", "%v%n", "Acquire::http::Proxy"]);
  const proxy = output.trim();
  return code === 0 && proxy.startsWith("http") ? { http_proxy: proxy } : {};
}

export function debianMirror(sources: readonly PackageSource[]): string | undefined {
  return sources.find(isDebianArchive)?.uri;
}

/** Debian's own archive, not its security updates nor what somebody else publishes for the same suites. */
function isDebianArchive(source: PackageSource): boolean {
  return (
    source.components.includes("main") &&
    /^(buster|bullseye|bookworm|trixie|forky|sid|stable|oldstable|testing|unstable)$/.test(source.suite) &&
    /\/debian\/?$/.test(source.uri)
  );
}

function readSources(): readonly PackageSource[] {
  const folder = "/etc/apt/sources.list.d";
  const read = (path: string): string => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return "";
    }
  };
  let names: string[] = [];
  try {
    names = readdirSync(folder).toSorted();
  } catch {
    // No folder, no files.
  }
  const files = names.map((name) => ({ name, text: read(`${folder}/${name}`) }));
  return [
    ...files.filter(({ name }) => name.endsWith(".sources")).flatMap(({ text }) => parseSources(text)),
    ...[
      read("/etc/apt/sources.list"),
      ...files.filter(({ name }) => name.endsWith(".list")).map(({ text }) => text),
    ].flatMap(parseSourcesList),
  ];
}

/** Reads the paragraphs of a `.sources` file (deb822, sources.list(5)). */
export function parseSources(text: string): readonly PackageSource[] {
  const lines = text.split("\n").filter((line) => !line.startsWith("#"));
  const paragraphs = lines.join("\n").split(/\n\s*\n/);
  return paragraphs.flatMap((paragraph) => {
    const words = (field: string): readonly string[] => {
      const value = new RegExp(`^${field}:[ \\t]*(.*(?:\\n[ \\t].*)*)`, "im").exec(paragraph)?.[1];
      return value?.split(/\s+/).filter((word) => word !== "") ?? [];
    };
    if (!words("Types").includes("deb") || words("Enabled")[0] === "no") return [];
    const components = words("Components");
    return words("URIs").flatMap((uri) => words("Suites").map((suite) => ({ uri, suite, components })));
  });
}

/** Reads the one-line entries of a `.list` file. */
export function parseSourcesList(text: string): readonly PackageSource[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line);
    if (match === null) return [];
    const [, uri, suite, components] = match;
    return [{ uri: uri!, suite: suite!, components: components!.trim().split(/\s+/) }];
  });
}
