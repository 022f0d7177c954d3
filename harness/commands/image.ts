import type { Command } from "commander";
import { print, printJson } from "../command-line.ts";

interface ImageFlags {
  readonly release?: string;
  readonly base?: string;
  readonly jars?: string;
  readonly tag?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `zabcheck image`: an image of a ZooKeeper release, without a registry. */
export function addImage(program: Command): void {
  program
    .command("image")
    .description("make a Docker image of a ZooKeeper release, where there is no registry to pull it from")
    .option("--release <version>", "the release: 3.9.4 (default: the one that the jars are of)")
    .option("--base <image>", "build upon this image (Java, a shell) in place of one made by debootstrap")
    .option("--jars <folder>", "take the server's jars from here (an unreleased build) in place of Maven")
    .option("--tag <name>", "what to call it (default: zabcheck/zookeeper:<release>)")
    .option("--force", "make it anew although there is one of that name")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nNeeds Maven and, for the first image, debootstrap and root; not so with --jars and --base.\n" +
        "Whatever is made follows the contract of the official image: the same variables, volumes, user and ports.",
    )
    .action(makeImage);
}

async function makeImage(flags: ImageFlags): Promise<void> {
  const { connectEngine, makeServerImage } = await import("../../clusters/index.ts");
  const { release, base, jars, tag } = flags;
  const image = await makeServerImage(await connectEngine(), {
    ...(release === undefined ? {} : { release }),
    ...(base === undefined ? {} : { base }),
    ...(jars === undefined ? {} : { jars }),
    ...(tag === undefined ? {} : { tag }),
    // What was given by hand may have changed since.
    reuse: flags.force !== true && base === undefined && jars === undefined,
    progress: (line) => process.stderr.write(`${line}\n`),
  });
  if (flags.json === true) printJson(image);
  else print(image.tag);
}
