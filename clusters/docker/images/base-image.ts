import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { OperationError } from "../../../model/index.ts";
import { type Engine, engineFailure, isMissing, streamingEngine } from "../engine.ts";
import { makeScratch, removeScratch, whileLocked } from "../scratch.ts";
import { baseImageTag, madeByLabel, toolsLabel } from "./names.ts";
import { packageMirror, packageProxy } from "./package-mirror.ts";
import { hasTool, lastErrors, needTool, type Progress, runTool } from "./tool.ts";

const suite = "bookworm";

/** Java for the servers, and what faults and their observation use inside containers. */
const packages = ["openjdk-17-jre-headless", "iptables", "iproute2", "procps", "strace", "libfaketime"];

/** What no container needs. */
const leftOut = [
  "./var/cache/apt/archives/*.deb",
  "./var/lib/apt/lists/*",
  "./usr/share/doc",
  "./usr/share/man",
  "./usr/share/locale",
];

const waitMsMax = 10 * 60_000;

/** True where the base image exists. */
export async function hasBaseImage(engine: Engine): Promise<boolean> {
  return (await labelsOfImage(engine, baseImageTag)) !== undefined;
}

/** True where this process could make the base image now. */
export function canMakeBaseImage(): boolean {
  return process.getuid?.() === 0 && hasTool("debootstrap");
}

/** The labels of a local image; undefined where there is no such image. */
export async function labelsOfImage(
  engine: Engine,
  image: string,
): Promise<Readonly<Record<string, string>> | undefined> {
  try {
    return (await engine.getImage(image).inspect()).Config.Labels ?? {};
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw engineFailure(`look for the image ${image}`, error);
  }
}

/**
 * Makes the Debian image on which server images stand, with the tools that faults need, unless it exists: debootstrap
 * from the mirror that this machine's apt uses, then an import. 40 to 110 s. The tag is given last.
 * Throws OperationError "no-tool", "not-root", "no-mirror" or "base-image".
 */
export async function ensureBaseImage(engine: Engine, progress: Progress): Promise<string> {
  if (await hasBaseImage(engine)) return baseImageTag;
  const otherwise = "give a base image with Java and a shell by --base IMAGE";
  needTool("debootstrap", "making the base image", "debootstrap", otherwise);
  if (process.getuid?.() !== 0) {
    throw new OperationError(
      "not-root",
      "making the base image needs root, for debootstrap",
      `run it once as root, or ${otherwise}`,
    );
  }
  const mirror = packageMirror();
  const wait = (): void => progress("another zabcheck is making the base image: waiting for it");
  await whileLocked("base-image", waitMsMax, wait, async () => {
    if (await hasBaseImage(engine)) return;
    await makeBaseImage(mirror, progress);
  });
  return baseImageTag;
}

async function makeBaseImage(mirror: string, progress: Progress): Promise<void> {
  const scratch = makeScratch("base");
  try {
    const root = join(scratch, "root");
    progress(`making the base image by debootstrap (Debian ${suite}, Java 17; one to two minutes, once)`);
    const debootstrap = [
      "debootstrap",
      "--variant=minbase",
      `--include=${packages.join(",")}`,
      suite,
      root,
      mirror,
    ];
    // In a mount namespace of its own, what debootstrap mounts in there is gone with it, however it ends.
    const [program, ...parameters] = hasTool("unshare")
      ? ["unshare", "--mount", ...debootstrap]
      : debootstrap;
    const { code, output } = await runTool(program!, parameters, await packageProxy());
    if (code !== 0) {
      throw new OperationError(
        "base-image",
        `debootstrap could not make the base image: ${lastErrors(output)}`,
        "does `apt-get update` work on this machine? Otherwise give a base image by --base IMAGE",
      );
    }
    progress("importing the base image");
    await importFolder(root);
  } finally {
    removeScratch(scratch);
  }
}

/** Imports a root file system. The image gets its name only after all of it has arrived. */
async function importFolder(root: string): Promise<void> {
  const tar = spawn("tar", ["-C", root, ...leftOut.map((path) => `--exclude=${path}`), "-c", "."], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const tarEnded = new Promise<number>((resolve) => {
    tar.on("error", () => resolve(127));
    tar.on("close", (code) => resolve(code ?? 128));
  });
  const engine = streamingEngine();
  const labels = [`LABEL ${madeByLabel}=base ${toolsLabel}=1`];
  try {
    const answer = await engine.importImage(tar.stdout, { changes: labels });
    const id = /sha256:[0-9a-f]{64}/.exec(await textOf(answer))?.[0];
    if ((await tarEnded) !== 0 || id === undefined) {
      throw new OperationError(
        "base-image",
        "the base image could not be imported whole",
        "is the disk full (`df -h`)?",
      );
    }
    const [repo, tag] = baseImageTag.split(":");
    await engine.getImage(id).tag({ repo: repo!, tag: tag! });
  } catch (error) {
    tar.kill("SIGKILL");
    throw engineFailure("import the base image", error);
  }
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stream as Readable) text = (text + String(chunk)).slice(-64 * 1024);
  return text;
}
