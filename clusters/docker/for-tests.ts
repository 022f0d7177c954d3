import { OperationError } from "../../model/index.ts";
import { connectEngine } from "./engine.ts";

/**
 * Whether tests that need an Engine can run: `describe.skipIf(docker.reason !== undefined)(docker.title("..."), ...)`.
 * Throws where there is no Engine and ZABCHECK_REQUIRE_DOCKER=1: then a skipped test would be a lie.
 */
export interface DockerForTests {
  /** Why they cannot. */
  readonly reason: string | undefined;
  /** The title of a group of tests, with the reason why it is skipped. */
  title(name: string): string;
}

export async function dockerForTests(): Promise<DockerForTests> {
  let reason: string | undefined;
  try {
    await connectEngine();
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    if (process.env["ZABCHECK_REQUIRE_DOCKER"] === "1") throw error;
    reason = error.message;
    console.warn(`Docker tests are skipped: ${reason}`);
  }
  return { reason, title: (name) => (reason === undefined ? name : `${name} (skipped: ${reason})`) };
}
