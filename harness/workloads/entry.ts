import { InputError } from "../../model/index.ts";
import type { Workload, WorkloadEntry } from "./workload.ts";

/** Puts a workload into the table: reads its options, and keeps their type to itself. */
export function entry<Options extends object>(workload: Workload<Options>): WorkloadEntry {
  return {
    name: workload.name,
    summary: workload.summary,
    prepare(given) {
      const parsed = workload.options.safeParse(given);
      if (!parsed.success) {
        const issue = parsed.error.issues[0];
        const known = Object.keys(workload.options.parse({})).join(", ");
        const where = issue?.path.length ? `option '${issue.path.join(".")}': ` : "";
        throw new InputError(
          `workload ${workload.name}: ${where}${issue?.message ?? ""}`,
          `its options are: ${known}`,
        );
      }
      const options = parsed.data;
      return {
        name: workload.name,
        options,
        setup: (session) => workload.setup(session, options),
        work: (worker) => workload.work(worker, options),
        read: (session, server) => workload.read(session, server, options),
        checks: workload.checks,
      };
    },
  };
}
