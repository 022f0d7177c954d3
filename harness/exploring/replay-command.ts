import { fileURLToPath } from "node:url";
import { asTrace, buildModel, replay, withPromises, type Replay, type Trace } from "../../checkers/index.ts";
import { InputError, models, type ModelDefinition } from "../../model/index.ts";
import { exitWith, print, printJson } from "../command-line.ts";
import { readJsonFile } from "../json-file.ts";
import { named } from "../named.ts";
import { definitionIn, importModule } from "./load-model.ts";
import { wordsOf } from "./telling.ts";
import { stepLines } from "./text.ts";

const expected = "expected a file that zabcheck explore --trace FILE has written, or the directory of a run";

type BuildArguments = Parameters<ModelDefinition["build"]>;

/** `zabcheck replay TRACE`. Exit code 1 where the property is broken again, 2 where the model has changed under the trace. */
export async function replayCommand(
  path: string,
  { json, changes }: { readonly json?: boolean; readonly changes?: boolean },
): Promise<void> {
  const trace = asTrace(readJsonFile(path, expected), path);
  const definition = await definitionOf(trace, path);
  // Of a model that records histories its promises are properties, too.
  const judging = {
    ...definition,
    build: (...given: BuildArguments) => withPromises(definition.build(...given)),
  };
  const outcome = replay(judging, trace);
  const verdict = ({ broken: "violated", holds: "holds", changed: "unknown" } as const)[outcome.outcome];
  if (json === true) {
    const { property } = trace.counterexample;
    printJson({
      verdict,
      checks: [{ name: property, verdict, detail: outcome.detail, ...violationOf(outcome) }],
      steps: outcome.steps,
    });
  } else {
    const { parameters, variant, counterexample } = trace;
    const model = buildModel(definition, { parameters, ...(variant === null ? {} : { variant }) });
    const words = outcome.outcome === "changed" ? [] : wordsOf(model, counterexample);
    for (const [index, step] of outcome.steps.entries()) {
      for (const line of stepLines(step, index, words[index] ?? null, changes === true)) print(line);
    }
    if (outcome.differs) print("the model's code differs from that of the trace");
    print(outcome.detail);
  }
  exitWith(verdict);
}

function violationOf({ outcome, detail }: Replay): object {
  return outcome === "broken" ? { violation: { summary: detail, events: [] } } : {};
}

async function definitionOf(trace: Trace, path: string): Promise<ModelDefinition> {
  if (trace.module === null) return named("model", trace.model, models);
  if (!trace.module.startsWith("file:"))
    throw new InputError(`${path}: names the module ${trace.module}`, "expected a file of this machine");
  const file = fileURLToPath(trace.module);
  return definitionIn(await importModule(file, trace.module), file, trace.model);
}
