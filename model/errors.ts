/** A failure of operation (no Docker, a full disk): one readable line and a hint, never a stack. Exit code 70. */
export class OperationError extends Error {
  readonly code: string;
  readonly hint: string;

  constructor(code: string, message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "OperationError";
    this.code = code;
    this.hint = hint;
  }
}

/** Input that cannot be used: a bad option, a file that is no history. The message names file, line and what was expected. Exit code 64. */
export class InputError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "InputError";
    this.hint = hint;
  }
}
