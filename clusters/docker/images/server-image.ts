import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pack, type Pack } from "tar-stream";
import { InputError, OperationError } from "../../../model/index.ts";
import { dataPath } from "../data-files.ts";
import { type Engine, engineFailure, isConflict, isMissing, streamingEngine } from "../engine.ts";
import { makeScratch, removeScratch, whileLocked } from "../scratch.ts";
import { ensureBaseImage, labelsOfImage } from "./base-image.ts";
import { jarsIn, releaseOfJars, resolveClassPath } from "./class-path.ts";
import {
  madeByLabel,
  officialImageTag,
  ownImageTag,
  parseRelease,
  releaseLabel,
  toolsLabel,
} from "./names.ts";
import type { Progress } from "./tool.ts";

export interface ImageOptions {
  /** "3.9.4"; without it, the version that `jars` are of. */
  readonly release?: string;
  /** An image with Java, a shell and `setpriv` (or gosu, or su-exec) to build upon, in place of one made by debootstrap. */
  readonly base?: string;
  /** A folder with the server's jars, in place of Maven. */
  readonly jars?: string;
  /** What to call it; `zabcheck/zookeeper:<release>` by default. */
  readonly tag?: string;
  /** Keep an image of that name, if there is one. */
  readonly reuse?: boolean;
  readonly progress?: Progress;
}

export interface MadeImage {
  readonly tag: string;
  readonly release: string;
  readonly id: string;
}

const waitMsMax = 15 * 60_000;

/**
 * Makes an image of a ZooKeeper release by the official image's contract (variables, volumes, user, ports, command),
 * without a registry. The tag is given last: an image of that name is whole.
 * Throws InputError for a bad release or folder of jars, OperationError for what is missing or failed.
 */
export async function makeServerImage(engine: Engine, options: ImageOptions): Promise<MadeImage> {
  const progress = options.progress ?? (() => {});
  const release = releaseWanted(options);
  const tag = options.tag ?? ownImageTag(release);
  if (options.reuse === true) {
    const id = await idOfImage(engine, tag);
    if (id !== undefined) {
      progress(`${tag} exists already`);
      return { tag, release, id };
    }
  }
  const base = options.base ?? (await ensureBaseImage(engine, progress));
  const baseLabels = await labelsOfImage(engine, base);
  if (baseLabels === undefined) throw unknownImage(base);
  const wait = (): void => progress(`another zabcheck is making ${tag}: waiting for it`);
  return await whileLocked(`image-${tag}`, waitMsMax, wait, async () => {
    const scratch = makeScratch("image");
    try {
      await gatherJars(options.jars, release, scratch, progress);
      progress(`building ${tag} on ${base}`);
      const dockerfile = dockerfileOf(base, release, baseLabels[toolsLabel] !== undefined);
      const before = await idOfImage(engine, tag);
      const id = await build(dockerfile, join(scratch, "lib"), tag);
      if (before !== undefined && before !== id) await removeNameless(engine, before);
      progress(`made ${tag}`);
      return { tag, release, id };
    } finally {
      removeScratch(scratch);
    }
  });
}

/** Removes what was of this name before, unless it has another name or a container uses it. */
async function removeNameless(engine: Engine, id: string): Promise<void> {
  const image = engine.getImage(id);
  try {
    if ((await image.inspect()).RepoTags.length === 0) await image.remove();
  } catch (error) {
    if (!isMissing(error) && !isConflict(error))
      throw engineFailure("remove the image that was replaced", error);
  }
}

async function idOfImage(engine: Engine, image: string): Promise<string | undefined> {
  return (await labelsOfImage(engine, image)) === undefined
    ? undefined
    : (await engine.getImage(image).inspect()).Id;
}

/** The error for an image that is not on this host. */
export function unknownImage(image: string): OperationError {
  const release = /^(?:zabcheck\/)?zookeeper:(3\.[\d.]+)$/.exec(image)?.[1];
  return new OperationError(
    "unknown-image",
    `there is no image '${image}' on the Docker host`,
    release === undefined
      ? "load it with `docker pull` or `docker load`; `docker images` lists what there is"
      : `\`zabcheck image --release ${release}\` makes one, \`docker pull ${officialImageTag(release)}\` loads the official one`,
  );
}

/** Whether there is an image of a release already, official or made here. */
export async function hasImageOfRelease(engine: Engine, release: string): Promise<boolean> {
  return (await localImageOf(engine, parseRelease(release))) !== undefined;
}

async function localImageOf(engine: Engine, release: string): Promise<string | undefined> {
  for (const tag of [officialImageTag(release), ownImageTag(release)]) {
    if ((await labelsOfImage(engine, tag)) !== undefined) return tag;
  }
  return undefined;
}

/**
 * The image to run a release from: the official one where it was pulled, else the one made here, else one made now.
 * Throws as `makeServerImage` does.
 */
export async function imageOfRelease(engine: Engine, text: string, progress: Progress): Promise<string> {
  const release = parseRelease(text);
  const found = await localImageOf(engine, release);
  if (found !== undefined) return found;
  progress(`there is no image of ZooKeeper ${release} yet: making one`);
  return (await makeServerImage(engine, { release, progress })).tag;
}

function releaseWanted(options: ImageOptions): string {
  if (options.release !== undefined) return parseRelease(options.release);
  const found = options.jars === undefined ? undefined : releaseOfJars(jarsIn(options.jars));
  if (found !== undefined) return found;
  throw new InputError("an image of which release?", "give --release 3.9.4, or --jars DIR");
}

async function gatherJars(
  given: string | undefined,
  release: string,
  scratch: string,
  progress: Progress,
): Promise<void> {
  if (given === undefined) return await resolveClassPath(release, scratch, progress);
  const lib = join(scratch, "lib");
  mkdirSync(lib);
  for (const jar of jarsIn(given)) copyFileSync(join(given, jar), join(lib, jar));
}

function dockerfileOf(base: string, release: string, tools: boolean): string {
  const labels = [
    `${madeByLabel}=server`,
    `${releaseLabel}=${release}`,
    ...(tools ? [`${toolsLabel}=1`] : []),
  ];
  return `FROM ${base}
RUN (getent group 1000 || groupadd --gid 1000 zookeeper || addgroup -g 1000 zookeeper) >/dev/null \\
 && (id -u zookeeper || useradd --uid 1000 --gid 1000 --home-dir /data zookeeper || adduser -D -u 1000 -h /data -G zookeeper zookeeper) >/dev/null \\
 && mkdir -p /conf /data /datalog /logs && chown 1000:1000 /conf /data /datalog /logs
COPY root/ /
COPY lib/ /opt/zookeeper/lib/
ENV PATH=/opt/zookeeper/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \\
    ZOO_CONF_DIR=/conf ZOO_DATA_DIR=/data ZOO_DATA_LOG_DIR=/datalog ZOO_LOG_DIR=/logs ZOOCFGDIR=/conf
VOLUME ["/data", "/datalog", "/logs"]
EXPOSE 2181 2888 3888 8080
WORKDIR /opt/zookeeper
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["zkServer.sh", "start-foreground"]
LABEL ${labels.join(" ")}
`;
}

/** Builds and returns the image's id. */
async function build(dockerfile: string, lib: string, tag: string): Promise<string> {
  const engine = streamingEngine();
  const context = pack();
  context.entry({ name: "Dockerfile" }, dockerfile);
  addFolder(context, dataPath("images/root"), "root");
  addFolder(context, lib, "lib");
  context.finalize();
  let failure: string | undefined;
  let id: string | undefined;
  try {
    const output = await engine.buildImage(Readable.from(context), { t: tag, rm: true, forcerm: true });
    await new Promise<void>((resolve, reject) => {
      engine.modem.followProgress(
        output,
        (error) => (error === null ? resolve() : reject(error)),
        (event: { error?: string; aux?: { ID?: string } }) => {
          failure ??= event.error;
          id = event.aux?.ID ?? id;
        },
      );
    });
  } catch (error) {
    throw engineFailure(`build ${tag}`, error);
  }
  if (failure !== undefined || id === undefined) {
    throw new OperationError(
      "image",
      `the image ${tag} could not be built: ${failure ?? "the Engine told no result"}`,
      "a base image needs Java, a shell, getent and a way to add users",
    );
  }
  return id;
}

function addFolder(context: Pack, folder: string, name: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const inside = path.slice(folder.length).replaceAll("\\", "/");
    context.entry({ name: `${name}${inside}`, mode: statSync(path).mode & 0o777 }, readFileSync(path));
  }
}
