import { randomBytes } from "node:crypto";
import { type Duplex, PassThrough } from "node:stream";
import { OperationError } from "../../model/index.ts";
import { type Engine, engineFailure } from "./engine.ts";

const outputCharsMax = 64 * 1024;

export interface ShellResult {
  readonly code: number;
  /** Standard output and error. */
  readonly output: string;
}

/**
 * A shell inside a container that stays open: a command takes a few milliseconds, where an exec of its own takes
 * a hundred and more. Commands run one after the other.
 */
export class Shell {
  readonly #stream: Duplex;
  #output = "";
  #waiting: ((closed: boolean) => void) | undefined;
  #closed = false;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(stream: Duplex, output: PassThrough) {
    this.#stream = stream;
    output.setEncoding("utf8");
    output.on("data", (text: string) => {
      this.#output = (this.#output + text).slice(-outputCharsMax);
      this.#waiting?.(false);
    });
    const close = (): void => {
      this.#closed = true;
      this.#waiting?.(true);
    };
    stream.on("close", close);
    stream.on("end", close);
    stream.on("error", close);
  }

  /** Opens a shell as root. Throws OperationError "docker" where the container does not run. */
  static async open(engine: Engine, container: string): Promise<Shell> {
    try {
      const exec = await engine.getContainer(container).exec({
        Cmd: ["sh"],
        User: "0",
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
      });
      const stream = await exec.start({ hijack: true, stdin: true });
      const output = new PassThrough();
      engine.modem.demuxStream(stream, output, output);
      return new Shell(stream, output);
    } catch (error) {
      throw engineFailure(`open a shell in ${container}`, error);
    }
  }

  /**
   * Runs a command and returns what came of it. `input` is its standard input.
   * Throws OperationError "shell" where the shell is gone or the command takes longer than `timeoutMs`.
   */
  run(command: string, input = "", timeoutMs = 10_000): Promise<ShellResult> {
    const result = this.#last.then(() => this.#run(command, input, timeoutMs));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #run(command: string, input: string, timeoutMs: number): Promise<ShellResult> {
    const mark = `zabcheck-${randomBytes(8).toString("hex")}`;
    const end = new RegExp(`([^]*)${mark} (\\d+)\\n`);
    this.#output = "";
    this.#stream.write(
      `{ ${command}\n} 2>&1 <<'${mark}'\n${input}${input.endsWith("\n") || input === "" ? "" : "\n"}${mark}\necho ${mark} $?\n`,
    );
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const match = end.exec(this.#output);
      if (match !== null) return { output: match[1]!, code: Number(match[2]) };
      const left = deadline - performance.now();
      if (this.#closed || left <= 0) {
        throw new OperationError(
          "shell",
          this.#closed
            ? "the shell in a side container ended"
            : `'${command}' did not end within ${timeoutMs} ms`,
          "did somebody stop the container, or is the machine overloaded?",
        );
      }
      await this.#change(left);
    }
  }

  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting = undefined;
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#waiting = done;
    });
  }

  close(): void {
    this.#stream.destroy();
  }
}
