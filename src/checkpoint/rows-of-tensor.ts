/** Rows that are nearer to each other are read at once, with what lies between: out of a cache of files that is as fast as another read. */
const NEAR_BYTES = 2 ** 16;

/** Of one read of several rows. */
const MOST_BYTES = 2 ** 22;

interface RowReading {
  readonly rowBytes: number;
  /** Some bytes of the tensor, from byte `start` on; where they are to go if that is given. */
  readonly part: (start: number, bytes: number, into?: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;
  /** Where the rows go; memory of their own unless given. */
  readonly into?: Uint8Array<ArrayBuffer> | undefined;
}

/** Rows of a tensor, by their numbers in ascending order, one behind the other. */
export async function rowsOfTensor(
  rows: Int32Array,
  { rowBytes, part, into = new Uint8Array(rows.length * rowBytes) }: RowReading,
): Promise<Uint8Array<ArrayBuffer>> {
  let done = 0;
  for (const run of runsOf(rows, rowBytes)) {
    const [first = 0] = run;
    const last = run.at(-1) ?? first;
    if (last - first + 1 === run.length) {
      await part(
        first * rowBytes,
        run.length * rowBytes,
        into.subarray(done * rowBytes, (done + run.length) * rowBytes),
      );
      done += run.length;
      continue;
    }
    const bytes = await part(first * rowBytes, (last - first + 1) * rowBytes);
    for (const row of run) {
      into.set(bytes.subarray((row - first) * rowBytes, (row - first + 1) * rowBytes), done * rowBytes);
      done += 1;
    }
  }
  return into;
}

/** Rows that are read together. */
function* runsOf(rows: Int32Array, rowBytes: number): Generator<Int32Array> {
  let start = 0;
  let last = 0;
  for (const [i, row] of rows.entries()) {
    const isFar = (row - last - 1) * rowBytes > NEAR_BYTES || (row - (rows[start] ?? row) + 1) * rowBytes > MOST_BYTES;
    if (i > start && isFar) {
      yield rows.subarray(start, i);
      start = i;
    }
    last = row;
  }
  if (rows.length > 0) yield rows.subarray(start);
}
