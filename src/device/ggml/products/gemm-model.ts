/** A model of one matrix product in the format of ONNX (onnx.proto), whose messages are written by hand: it has 120 bytes. */

/** Versions of the format and of its operations, of 2020: later runtimes read them. */
const [IR_VERSION, OPERATIONS] = [7, 13];
/** TensorProto.FLOAT and AttributeProto.INT. */
const [FLOAT, INT] = [1, 2];

/** y [n, m] = x [n, k] times w [k, m] for matrices of any size in f32, x and w as they are or stored transposed. */
export function gemmModel(transposedX: boolean, transposedW: boolean): Uint8Array {
  const attribute = (name: string, on: boolean): Message =>
    message(5, [...text(1, name), ...number(3, Number(on)), ...number(20, INT)]);
  const node = [
    ...["x", "w"].flatMap((name) => text(1, name)),
    ...text(2, "y"),
    ...text(4, "Gemm"),
    ...attribute("transA", transposedX),
    ...attribute("transB", transposedW),
  ];
  const graph = [
    ...message(1, node),
    ...text(2, "product"),
    ...message(11, matrix("x", transposedX ? ["k", "n"] : ["n", "k"])),
    ...message(11, matrix("w", transposedW ? ["m", "k"] : ["k", "m"])),
    ...message(12, matrix("y", ["n", "m"])),
  ];
  return Uint8Array.from([...number(1, IR_VERSION), ...message(7, graph), ...message(8, number(2, OPERATIONS))]);
}

type Message = readonly number[];

/** ValueInfoProto: sizes are names, so that any will do. */
function matrix(name: string, sizes: readonly string[]): Message {
  const shape = sizes.flatMap((size) => message(1, text(2, size)));
  return [...text(1, name), ...message(2, message(1, [...number(1, FLOAT), ...message(2, shape)]))];
}

/** A field that holds a message. */
function message(field: number, content: Message): Message {
  return [...varint((field << 3) | 2), ...varint(content.length), ...content];
}

function text(field: number, value: string): Message {
  return message(field, [...Buffer.from(value)]);
}

function number(field: number, value: number): Message {
  return [...varint(field << 3), ...varint(value)];
}

/** Seven bits a byte, the lowest first; all but the last are marked. */
function varint(value: number): Message {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}
