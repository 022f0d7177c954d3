import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { InputError, OperationError } from "../../../model/index.ts";
import { lastErrors, needTool, type Progress, runTool } from "./tool.ts";

/**
 * Puts the jars of a release's server into `directory`, by Maven from the repository that the machine is set up for.
 * Throws OperationError "no-tool" without Maven, "class-path" where it cannot resolve the release.
 */
export async function resolveClassPath(
  release: string,
  directory: string,
  progress: Progress,
): Promise<void> {
  needTool("mvn", "resolving a release's class path", "maven", "give the jars by --jars DIR");
  const jars = join(directory, "lib");
  const pom = join(directory, "pom.xml");
  mkdirSync(jars, { recursive: true });
  writeFileSync(pom, projectOf(release));
  progress(`resolving the class path of ZooKeeper ${release} by Maven`);
  // -U: what could not be had the last time is asked for again.
  const maven = ["-q", "-B", "-U", "-f", pom];
  await resolve(release, [
    ...maven,
    "dependency:copy-dependencies",
    "-DincludeScope=runtime",
    `-DoutputDirectory=${jars}`,
  ]);
  const names = readdirSync(jars);
  if (names.some((name) => /^(logback-classic|slf4j-log4j12|slf4j-reload4j)-/.test(name))) return;
  // Some releases name no logger: the simple one of the slf4j they were built with.
  const slf4j = names
    .map((name) => /^slf4j-api-(.*)\.jar$/.exec(name)?.[1])
    .find((version) => version !== undefined);
  if (slf4j === undefined) return;
  await resolve(release, [
    ...maven,
    "dependency:copy",
    `-Dartifact=org.slf4j:slf4j-simple:${slf4j}`,
    `-DoutputDirectory=${jars}`,
  ]);
}

async function resolve(release: string, parameters: readonly string[]): Promise<void> {
  const { code, output } = await runTool("mvn", parameters);
  if (code === 0) return;
  throw new OperationError(
    "class-path",
    `Maven could not resolve ZooKeeper ${release}: ${lastErrors(output)}`,
    "is that release published, and does Maven reach its repository? Otherwise give the jars by --jars DIR",
  );
}

/**
 * ZooKeeper declares as `provided` what its server needs for metrics, compressed snapshots, its command line and
 * (from 3.5 on) its admin server on port 8080.
 */
function projectOf(release: string): string {
  const dependencies = [
    ["org.apache.zookeeper", "zookeeper", release],
    ["io.dropwizard.metrics", "metrics-core", "4.1.12.1"],
    ["org.xerial.snappy", "snappy-java", "1.1.10.5"],
    ["commons-cli", "commons-cli", "1.5.0"],
    ...(release.startsWith("3.4.") ? [] : adminServer),
  ];
  const excluded = ["org.apache.directory.jdbm", "com.github.spotbugs"];
  const exclusions = excluded
    .map((group) => `<exclusion><groupId>${group}</groupId><artifactId>*</artifactId></exclusion>`)
    .join("");
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>zabcheck</groupId><artifactId>server-class-path</artifactId><version>1</version>
  <dependencies>
${dependencies
  .map(
    ([group, artifact, version]) =>
      `    <dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>` +
      `<exclusions>${exclusions}</exclusions></dependency>`,
  )
  .join("\n")}
  </dependencies>
</project>
`;
}

const adminServer = [
  ["org.eclipse.jetty", "jetty-server", "9.4.58.v20250814"],
  ["org.eclipse.jetty", "jetty-servlet", "9.4.58.v20250814"],
  ["com.fasterxml.jackson.core", "jackson-databind", "2.15.2"],
] as const;

/**
 * The jars of a folder that was given, by name.
 * Throws InputError where the folder cannot be read or holds no server of ZooKeeper.
 */
export function jarsIn(directory: string): readonly string[] {
  const hint =
    "expected the lib folder of a ZooKeeper build, with zookeeper-<version>.jar and what it depends on";
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    throw new InputError(`the folder '${directory}' cannot be read`, hint, error);
  }
  const jars = names.filter((name) => name.endsWith(".jar"));
  if (releaseOfJars(jars) === undefined)
    throw new InputError(`'${directory}' holds no zookeeper-<version>.jar`, hint);
  return jars;
}

/** The version in the name of the server's jar. */
export function releaseOfJars(jars: readonly string[]): string | undefined {
  return jars.map((jar) => /^zookeeper-(\d.*)\.jar$/.exec(jar)?.[1]).find((version) => version !== undefined);
}
