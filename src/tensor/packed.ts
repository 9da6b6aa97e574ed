/** f32 numbers, little-endian, in base64: data that JSON holds in a third of the room of digits. */
export type Packed = string;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export function pack(values: Float32Array): Packed {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");
}

/** The numbers, or undefined of a text that is none of `pack`. */
export function unpack(text: Packed): Float32Array | undefined {
  if (!BASE64.test(text)) return undefined;
  const bytes = new Uint8Array(Buffer.from(text, "base64"));
  return bytes.length % Float32Array.BYTES_PER_ELEMENT === 0 ? new Float32Array(bytes.buffer) : undefined;
}
