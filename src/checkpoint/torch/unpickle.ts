import { PickleMachine } from "./pickle-machine.ts";
import { PickleDict, type PickleValue } from "./pickle-values.ts";

/** Some 40 for a tensor: 100,000 tensors. What one makes takes some 100 bytes of memory at most. */
const MAX_OPERATIONS = 2 ** 22;

/** A value, and the position behind its pickle. */
export interface Unpickled {
  readonly value: PickleValue;
  readonly end: number;
}

/**
 * The value of a pickle from a stranger's file, of protocols 2 to 5, which write tensors alike. It can hold plain values and what `torch-calls.ts` makes;
 * a UserError for anything else. Nesting costs nothing: no value is ever looked into further than calls and names need.
 */
export function unpickle(bytes: Uint8Array, path: string, start = 0): Unpickled {
  const machine = new PickleMachine(bytes, path, start);
  for (let count = 0; count < MAX_OPERATIONS; count++) {
    const code = machine.byte();
    if (code === STOP) return { value: machine.pop(), end: machine.at };
    const operation = operations.get(code);
    if (!operation) throw machine.fault(`expected an operation that tensors need, found 0x${code.toString(16)}`);
    operation(machine);
  }
  throw machine.fault(`expected at most ${MAX_OPERATIONS} operations, found more`);
}

const STOP = ".".charCodeAt(0);

type PickleOperation = (machine: PickleMachine) => void;

/** By the byte that stands for them, written as the letter that it is in Python, where it is one. */
const lettered: Readonly<Record<string, PickleOperation>> = {
  "\x80": (m) => m.protocol(),
  "\x95": (m) => m.uint64(),
  N: (m) => m.push(null),
  "\x88": (m) => m.push(true),
  "\x89": (m) => m.push(false),
  J: (m) => m.push(m.int32()),
  K: (m) => m.push(m.byte()),
  M: (m) => m.push(m.uint16()),
  "\x8a": (m) => m.push(m.long(m.byte())),
  G: (m) => m.push(m.float()),
  X: (m) => m.push(m.text(m.uint32())),
  "\x8c": (m) => m.push(m.text(m.byte())),
  U: (m) => m.push(m.text(m.byte())),
  T: (m) => m.push(m.text(m.uint32())),
  "]": (m) => m.push([]),
  ")": (m) => m.push([]),
  "}": (m) => m.push(new PickleDict()),
  "(": (m) => m.mark(),
  t: (m) => m.push(m.popMarked()),
  "\x85": (m) => m.push(m.popMany(1)),
  "\x86": (m) => m.push(m.popMany(2)),
  "\x87": (m) => m.push(m.popMany(3)),
  a: (m) => m.append(m.popMany(1)),
  e: (m) => m.append(m.popMarked()),
  s: (m) => m.setItems(m.popMany(2)),
  u: (m) => m.setItems(m.popMarked()),
  q: (m) => m.remember(m.byte()),
  r: (m) => m.remember(m.uint32()),
  "\x94": (m) => m.remember(),
  h: (m) => m.recall(m.byte()),
  j: (m) => m.recall(m.uint32()),
  c: (m) => m.global(m.line(), m.line()),
  "\x93": (m) => m.global(...(m.popMany(2) as [PickleValue, PickleValue])),
  R: (m) => m.call(),
  b: (m) => m.build(),
  Q: (m) => m.storage(),
};

const operations: ReadonlyMap<number, PickleOperation> = new Map(
  Object.entries(lettered).map(([letter, operation]) => [letter.charCodeAt(0), operation]),
);
