/** Little-endian f32 bytes. */
export function f32Bytes(values: ArrayLike<number>): Uint8Array {
  return new Uint8Array(new Float32Array(values).buffer);
}

/** The values of little-endian f32 bytes. */
export function f32Values(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}

/** Little-endian bytes of the nearest bf16 values, ties to even; finite values only. */
export function bf16Bytes(values: readonly number[]): Uint8Array {
  const bits = new Uint32Array(Float32Array.from(values).buffer);
  return new Uint8Array(Uint16Array.from(bits, (b) => (b + 0x7fff + ((b >>> 16) & 1)) >>> 16).buffer);
}

/** The values of little-endian bf16 bytes. */
export function bf16Values(bytes: Uint8Array): number[] {
  const bits = Uint32Array.from(new Uint16Array(bytes.slice().buffer), (half) => half << 16);
  return [...new Float32Array(bits.buffer)];
}

/** A stream of numbers in [-1, 1) from a seed (a linear congruential generator; even enough for test data). */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** `count` numbers in [-1/8, 1/8), which keeps sums over hundreds of products near 1. */
export function noise(random: () => number, count: number): number[] {
  return Array.from({ length: count }, () => random() / 8);
}

/** Of so many sequences: a token sees itself and those before it. */
export function causalMask(batch: number, length: number): number[] {
  return Array.from({ length: batch * length * length }, (_, k) =>
    k % length <= Math.floor(k / length) % length ? 0 : -Infinity,
  );
}
