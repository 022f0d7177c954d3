import type { ContainerCreateOptions, HostConfig } from "dockerode";
import { type Engine, reasonOf } from "./engine.ts";
import { removeContainer } from "./removal.ts";

export interface Trial {
  readonly image: string;
  /** For `sh -c`, as root. */
  readonly script: string;
  readonly host?: HostConfig;
  readonly env?: readonly string[];
}

export interface TrialResult {
  /** 0 where all went well; -1 where the container could not even begin. */
  readonly code: number;
  /** Standard output and error, or what the Engine said. */
  readonly output: string;
}

const trialMsMax = 20_000;
const outputCharsMax = 16 * 1024;

/**
 * Runs a script in a container that is gone afterwards, without a network: what works there works in a container made
 * alike. Never throws for what the script or the Engine says: that is the answer.
 */
export async function tryOut(
  engine: Engine,
  labels: Record<string, string>,
  trial: Trial,
): Promise<TrialResult> {
  const options: ContainerCreateOptions = {
    Image: trial.image,
    Entrypoint: ["sh", "-c"],
    Cmd: [trial.script],
    User: "0",
    Tty: true,
    Labels: { ...labels, "zabcheck.role": "trial" },
    Env: [...(trial.env ?? [])],
    HostConfig: { NetworkMode: "none", ...trial.host },
  };
  let id: string | undefined;
  try {
    const container = await engine.createContainer(options);
    id = container.id;
    await container.start();
    const ended = (await Promise.race([container.wait(), afterMs(trialMsMax)])) as
      { StatusCode: number } | undefined;
    const output = String(await container.logs({ stdout: true, stderr: true })).slice(-outputCharsMax);
    if (ended === undefined) return { code: -1, output: `no end within ${trialMsMax} ms: ${output}` };
    return { code: ended.StatusCode, output };
  } catch (error) {
    return { code: -1, output: reasonOf(error) };
  } finally {
    if (id !== undefined) await removeContainer(engine, id).catch(() => undefined);
  }
}

function afterMs(ms: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(undefined), ms).unref();
  });
}
