import { OperationError } from "../../model/index.ts";
import type { Session } from "../session.ts";

const attemptsMax = 20;

/** Creates a znode; tried again until the answer is known. Throws OperationError where it never is. */
export async function make(session: Session, path: string, data: string): Promise<void> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const performed = await session.perform({ op: "create", path, data, mode: "persistent" });
    if (performed.type === "ok") return;
    if (performed.type === "fail" && performed.error === "NodeExists") return;
  }
  throw new OperationError(
    "SETUP",
    `${path} could not be created`,
    "see the servers' logs in the run's directory",
  );
}
