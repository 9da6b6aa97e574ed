/** A text as token ids, to which tokens are added. */
export class GrowingText {
  readonly prompt: Int32Array;
  /** What an encoder reads, of a model that has one. */
  readonly source: Int32Array | undefined;
  /** Those behind the prompt; one that ends the text is the last of them. */
  readonly added: number[] = [];
  /** Whether nothing is to be added any more. */
  isOver = false;

  constructor(prompt: Int32Array, source?: Int32Array) {
    this.prompt = prompt;
    this.source = source;
  }

  get length(): number {
    return this.prompt.length + this.added.length;
  }

  get ids(): Int32Array {
    return Int32Array.from([...this.prompt, ...this.added]);
  }
}
