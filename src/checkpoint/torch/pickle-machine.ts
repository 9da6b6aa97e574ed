import { UserError } from "../../errors.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { kindOf, PickleDict, PickleGlobal, type PickleValue } from "./pickle-values.ts";
import { callGlobal, findGlobal, storageOf } from "./torch-calls.ts";

/** A pickle fills its dicts and lists by 1000 at a time. */
const MAX_STACK = 2 ** 14;
const MAX_MARKS = 2 ** 8;
/** Of a number; PyTorch's magic number has ten. */
const MAX_LONG_BYTES = 16;
const MAX_GLOBAL_BYTES = 200;

/** A pickle that has no end in the bytes that were given. */
export class EndlessPickle extends Error {}

/** The stack machine that pickles are programs of: what each of their operations does. A UserError where a value is not what one needs. */
export class PickleMachine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #path: string;
  at: number;
  readonly #stack: PickleValue[] = [];
  /** Heights of the stack. */
  readonly #marks: number[] = [];
  /** A map: a stranger's index must not become the length of an array. */
  readonly #memo = new Map<number, PickleValue>();

  constructor(bytes: Uint8Array, path: string, start: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#path = path;
    this.at = start;
  }

  fault(text: string): UserError {
    return new UserError(`${this.#path}: its pickle: ${text}; only tensors are read of it, and nothing is run`);
  }

  /** The position of so many bytes, which are passed. */
  #pass(length: number): number {
    if (!(length <= this.#bytes.length - this.at))
      throw new EndlessPickle(`${this.#path}: its pickle has no end; was it copied or downloaded in full?`);
    const start = this.at;
    this.at += length;
    return start;
  }

  byte(): number {
    return this.#view.getUint8(this.#pass(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#pass(2), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#pass(4), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#pass(4), true);
  }

  uint64(): number {
    return Number(this.#view.getBigUint64(this.#pass(8), true));
  }

  float(): number {
    return this.#view.getFloat64(this.#pass(8), false);
  }

  /** A whole number in two's complement. */
  long(length: number): number | bigint {
    if (length > MAX_LONG_BYTES)
      throw this.fault(`expected numbers of at most ${MAX_LONG_BYTES} bytes, found ${length}`);
    const start = this.#pass(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#view.getUint8(start + i));
    value = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  text(length: number): string {
    const start = this.#pass(length);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.#bytes.subarray(start, this.at));
    } catch {
      throw this.fault("expected text in UTF-8, found other bytes");
    }
  }

  line(): string {
    const end = this.#bytes.subarray(this.at, this.at + MAX_GLOBAL_BYTES).indexOf(0x0a);
    if (end >= 0) return this.text(end + 1).slice(0, -1);
    this.#pass(MAX_GLOBAL_BYTES);
    throw this.fault(`expected names of less than ${MAX_GLOBAL_BYTES} bytes, found a longer one`);
  }

  push(value: PickleValue): void {
    if (this.#stack.length >= MAX_STACK) throw this.fault(`expected at most ${MAX_STACK} values at once, found more`);
    this.#stack.push(value);
  }

  pop(): PickleValue {
    const value = this.#stack.length > (this.#marks.at(-1) ?? 0) ? this.#stack.pop() : undefined;
    if (value === undefined) throw this.fault("expected a value, found none");
    return value;
  }

  top(): PickleValue {
    const value = this.pop();
    this.#stack.push(value);
    return value;
  }

  mark(): void {
    if (this.#marks.length >= MAX_MARKS) throw this.fault(`expected at most ${MAX_MARKS} open lists, found more`);
    this.#marks.push(this.#stack.length);
  }

  /** The values since the last mark. */
  popMarked(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.fault("expected a mark, found none");
    return this.#stack.splice(mark);
  }

  popMany(count: number): PickleValue[] {
    return Array.from({ length: count }, () => this.pop()).toReversed();
  }

  remember(index: number = this.#memo.size): void {
    this.#memo.set(index, this.top());
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.fault(`expected a value that is known as ${index}, found none`);
    this.push(value);
  }

  append(values: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.fault(`expected a list, found ${kindOf(list)}`);
    for (const value of values) list.push(value);
  }

  setItems(values: readonly PickleValue[]): void {
    const dict = this.top();
    if (!(dict instanceof PickleDict)) throw this.fault(`expected a dict, found ${kindOf(dict)}`);
    if (values.length % 2 !== 0) throw this.fault("expected a value for each key, found one less");
    for (let i = 0; i < values.length; i += 2) dict.entries.push([values[i] ?? null, values[i + 1] ?? null]);
  }

  global(module: PickleValue, name: PickleValue): void {
    const found = typeof module === "string" && typeof name === "string" ? findGlobal(`${module}.${name}`) : undefined;
    if (!found) throw this.fault(`expected what makes tensors, found ${showName(module, name)}`);
    this.push(found);
  }

  call(): void {
    const args = this.pop();
    const called = this.pop();
    if (!(called instanceof PickleGlobal) || !Array.isArray(args))
      throw this.fault(`expected a call, found ${kindOf(called)}`);
    this.#pushMade(called.name, callGlobal(called, args));
  }

  storage(): void {
    this.#pushMade("a persistent id", storageOf(this.pop()));
  }

  /** Attributes of a dict, such as the versions of its modules, are left out. */
  build(): void {
    this.pop();
    const target = this.top();
    if (!(target instanceof PickleDict)) throw this.fault(`expected a dict with attributes, found ${kindOf(target)}`);
  }

  protocol(): void {
    const found = this.byte();
    if (found < 2 || found > 5) throw this.fault(`expected a protocol from 2 to 5, found ${found}`);
  }

  #pushMade(name: string, made: PickleValue): void {
    if (typeof made === "string") throw this.fault(`${name}: ${made}`);
    this.push(made);
  }
}

function showName(module: PickleValue, name: PickleValue): string {
  if (typeof module !== "string" || typeof name !== "string") return kindOf(module);
  return show(`${module}.${name}`);
}
