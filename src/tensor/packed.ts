/** f32 numbers, little-endian, in base64: data that JSON holds in a third of the room of digits. */
export type Packed = string;

export function pack(values: Float32Array): Packed {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");
}

/** The numbers, or undefined of a text that is none of `pack`. */
export function unpack(text: Packed): Float32Array | undefined {
  const decoded = Buffer.from(text, "base64");
  // Node passes over what is no base64; a pattern would take twenty times as long as writing it again.
  if (decoded.toString("base64") !== text) return undefined;
  const bytes = new Uint8Array(decoded);
  return bytes.length % Float32Array.BYTES_PER_ELEMENT === 0 ? new Float32Array(bytes.buffer) : undefined;
}
