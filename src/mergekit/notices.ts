/** Sentences for a person, each once, however many weights they are true of. */
export class Notices {
  readonly #told = new Set<string>();
  readonly #onNotice: ((text: string) => void) | undefined;

  constructor(onNotice: ((text: string) => void) | undefined) {
    this.#onNotice = onNotice;
  }

  tell(text: string): void {
    if (this.#told.has(text)) return;
    this.#told.add(text);
    this.#onNotice?.(text);
  }
}
