import { bytesPerElement, type Dtype } from "../dtype.ts";
import { copyElements, type StoredValues } from "../stored-values.ts";
import { assemble, at, type Code, increase, op, repeated } from "./assembler.ts";
import { BorrowedMemory } from "./borrowed-memory.ts";
import { loadLanes, type Scratch } from "./lanes.ts";

/** Elements that are looked at at once. */
export const DIFFERENCES = 2 ** 16;

/** Vectors in one turn of the loop, and the elements of each. */
const [VECTORS, LANES] = [4, 4];
/** Bytes that the loop may touch behind a piece. */
const BEHIND = 64;
/** Where pieces of the two tensors and the result are. */
const [FROM, OTHER, RESULT] = [0, 1, 2].map((i) => i * (4 * DIFFERENCES + BEHIND)) as [number, number, number];
const SCRATCH: Scratch = [3, 4];

/** x - y of the pieces of two tensors, each difference rounded to f32. */
export class Differences implements Disposable {
  readonly #memory: BorrowedMemory;
  readonly #sizes: readonly [number, number];

  constructor(x: Dtype, y: Dtype) {
    this.#sizes = [bytesPerElement[x], bytesPerElement[y]];
    this.#memory = new BorrowedMemory(
      { name: `differences ${x} ${y}`, assembled: () => moduleOf(x, y) },
      3 * (4 * DIFFERENCES + BEHIND),
    );
  }

  /** Of so many elements from one on, as bits that the next call overwrites. */
  of(x: StoredValues, y: StoredValues, first: number, count: number): Uint32Array {
    const { bytes, run } = this.#memory;
    const [sizeX, sizeY] = this.#sizes;
    copyElements(x, first, bytes.subarray(FROM, FROM + count * sizeX));
    copyElements(y, first, bytes.subarray(OTHER, OTHER + count * sizeY));
    run(count);
    return new Uint32Array(bytes.buffer, RESULT, count);
  }

  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
  }
}

/** A function of the number of elements; its locals are the element times 2 and 4. */
function moduleOf(x: Dtype, y: Dtype): Uint8Array<ArrayBuffer> {
  const [count, twice, fourfold] = [0, 1, 2];
  const load = (dtype: Dtype, address: number, vector: number): Code => {
    const size = bytesPerElement[dtype];
    const local = op("local.get", size === 4 ? fourfold : twice);
    return loadLanes[dtype](local, address + vector * LANES * size, SCRATCH);
  };
  const turn = Array.from({ length: VECTORS }, (_, i) => [
    ...op("local.get", fourfold),
    ...load(x, FROM, i),
    ...load(y, OTHER, i),
    ...op("f32x4.sub"),
    ...at("v128.store", RESULT + i * 4 * LANES),
  ]);
  const elements = VECTORS * LANES;
  const next = [...increase(fourfold, 4 * elements), ...increase(twice, 2 * elements)];
  const isMore = [...op("local.get", twice), ...op("local.get", count), ...op("local.get", count), ...op("i32.add")];
  return assemble({
    parameters: ["i32"],
    locals: ["i32", "i32", "v128", "v128"],
    body: repeated([...turn.flat(), ...next, ...isMore, ...op("i32.lt_u")]),
  });
}
