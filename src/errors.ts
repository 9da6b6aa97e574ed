/** An expected failure: shown to the user as one sentence, without a stack. */
export class UserError extends Error {
  override readonly name: string = "UserError";
}

/** Models or rows of a run that are not where they were. */
export class MissingPlaces extends UserError {
  override readonly name = "MissingPlaces";
  /** Of the run. */
  readonly folder: string;
  /** Of the command line, with the places where something was, as words of a shell. */
  readonly options: readonly string[];

  constructor(message: string, { folder, options }: { readonly folder: string; readonly options: readonly string[] }) {
    super(message);
    this.folder = folder;
    this.options = options;
  }
}

/** A device that has no room. What helps, whoever asked for it knows better than the device. */
export class OutOfMemory extends UserError {
  override readonly name = "OutOfMemory";
  readonly #fault: string;
  readonly #said: string;

  /** `fault` says which device and for what; `said` is what its library has to add. */
  constructor(fault: string, said = "", advice = "free the device, or use a larger one") {
    super(`${fault}; ${advice}${said}`);
    this.#fault = fault;
    this.#said = said;
  }

  /** The result of some work; where that runs out of memory, the error has this advice. */
  static async advising<T>(advice: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
      throw new OutOfMemory(error.#fault, error.#said, advice);
    }
  }
}

/** What is wrong at a place of a file; `line` and `column` count from 1. */
export interface FileFault {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** The faults of a file that the user wrote, one a line. */
export class ConfigError extends UserError {
  override readonly name = "ConfigError";
  readonly file: string;
  readonly faults: readonly FileFault[];

  /** `others` are so many that are not told. */
  constructor(file: string, faults: readonly FileFault[], others = 0) {
    const lines = faults.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
    super([...lines, ...(others > 0 ? [`${file}: and ${others} more`] : [])].join("\n"));
    this.file = file;
    this.faults = faults;
  }
}
