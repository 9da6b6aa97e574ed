/** An expected failure: shown to the user as one sentence, without a stack. */
export class UserError extends Error {
  override readonly name: string = "UserError";
}

/** A fault in a file that the user wrote; `line` and `column` count from 1. */
export class ConfigError extends UserError {
  override readonly name = "ConfigError";
  readonly file: string;
  readonly line: number;
  readonly column: number;

  constructor(at: { file: string; line: number; column: number }, message: string) {
    super(`${at.file}:${at.line}:${at.column}: ${message}`);
    this.file = at.file;
    this.line = at.line;
    this.column = at.column;
  }
}
