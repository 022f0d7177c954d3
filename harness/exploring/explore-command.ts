import { Command, Option } from "commander";
import type { ModelDefinition, ParameterDeclaration, Parameters } from "../../model/index.ts";
import { explore, worst } from "../../checkers/index.ts";
import { exitWith, print, printJson } from "../command-line.ts";
import { loadModel } from "./load-model.ts";
import { outputOf } from "./output.ts";
import { linesOf } from "./text.ts";

interface Flags {
  readonly variant?: string;
  readonly symmetry?: boolean;
  readonly view?: boolean;
  readonly deadlock?: boolean;
  readonly json?: boolean;
  readonly [parameter: string]: unknown;
}

/** Runs `zabcheck explore` on its own words. Throws CommanderError for wrong usage, InputError for what is no model. */
export async function exploreCommand(words: readonly string[]): Promise<void> {
  const [name, ...rest] = words;
  if (name === undefined || name.startsWith("-")) {
    generalCommand().parse(name === undefined ? ["--help"] : words, { from: "user" });
    return;
  }
  const { definition } = await loadModel(name);
  const command = commandFor(name, definition);
  command.parse(rest, { from: "user" });
  const flags = command.opts<Flags>();
  const result = await explore(definition, {
    parameters: parametersFrom(definition, flags),
    ...(flags.variant === undefined ? {} : { variant: flags.variant }),
    symmetry: flags.symmetry === true,
    view: flags.view === true,
    deadlock: flags.deadlock === true,
  });
  if (flags.json === true) printJson(outputOf(result));
  else for (const line of linesOf(result)) print(line);
  exitWith(worst(result.verdicts.map(({ verdict }) => verdict)));
}

function generalCommand(): Command {
  return new Command("zabcheck explore <model>")
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .description("explore every state of a model within its bounds; a model's parameters are options, too");
}

function commandFor(name: string, definition: ModelDefinition): Command {
  const command = new Command(`zabcheck explore ${name}`)
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .description(definition.summary);
  for (const [parameter, declaration] of Object.entries(definition.parameters)) {
    command.addOption(parameterOption(parameter, declaration));
  }
  return command
    .option(
      "--variant <name>",
      `a seeded defect: ${Object.keys(definition.variants ?? {}).join(", ") || "there is none"}`,
    )
    .option("--symmetry", "states that differ by a permutation of symmetric servers count as one")
    .option("--view", `leave ${describeGhosts(definition)} out of the states' identity`)
    .option("--deadlock", "a state without successors is a violation")
    .option("--json", "print one JSON object");
}

function describeGhosts(definition: ModelDefinition): string {
  return definition.name === "zab" ? "the recorder's last action" : "ghost variables";
}

function parameterOption(parameter: string, declaration: ParameterDeclaration): Option {
  const flag = `--${kebab(parameter)}`;
  const summary = `${declaration.summary} (default: ${String(declaration.default)})`;
  switch (declaration.kind) {
    case "flag":
      return new Option(flag, declaration.summary);
    case "integer":
      return new Option(
        `${flag} <n>`,
        `${summary.slice(0, -1)}; ${declaration.minimum} to ${declaration.maximum})`,
      );
    default:
      return new Option(`${flag} <choice>`, `${summary}: ${declaration.choices.join(", ")}`);
  }
}

function parametersFrom(definition: ModelDefinition, flags: Flags): Parameters {
  const given = Object.entries(definition.parameters).flatMap(([name, { kind }]) => {
    const value = flags[name] as string | boolean | undefined;
    if (value === undefined) return [];
    return [[name, kind === "integer" && /^-?\d+$/.test(String(value)) ? Number(value) : value] as const];
  });
  return Object.fromEntries(given);
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
