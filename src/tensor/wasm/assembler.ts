/**
 * WebAssembly modules written byte by byte: one function over one imported memory, with 128-bit vectors. The numbers are those
 * of the specification (webassembly.github.io/spec/core/binary).
 */

/** Instructions, or parts of a module, as bytes. */
export type Code = readonly number[];

export type ValueType = keyof typeof valueTypes;

const valueTypes = { i32: 0x7f, f64: 0x7c, v128: 0x7b } as const;

/** Those of scalars. */
const plain = {
  "i32.eqz": 0x45,
  "i32.lt_u": 0x49,
  "i32.or": 0x72,
  "i32.xor": 0x73,
  "i32.add": 0x6a,
  "i32.sub": 0x6b,
  "i32.mul": 0x6c,
  "i32.and": 0x71,
  "i32.popcnt": 0x69,
  "i32.shl": 0x74,
  "i32.shr_u": 0x76,
  "i32.load": 0x28,
  "i32.load16_u": 0x2f,
  "i32.store": 0x36,
  "f64.load": 0x2b,
  "f64.store": 0x39,
  if: 0x04,
  br_if: 0x0d,
  end: 0x0b,
  select: 0x1b,
  "local.get": 0x20,
  "local.set": 0x21,
  "local.tee": 0x22,
} as const;

/** Those of vectors, which stand behind a prefix. */
const vector = {
  "v128.load": 0x00,
  "v128.load16x4_u": 0x04,
  "v128.load32_splat": 0x09,
  "v128.store": 0x0b,
  "i8x16.shuffle": 0x0d,
  "i8x16.swizzle": 0x0e,
  "i32x4.splat": 0x11,
  "i32x4.extract_lane": 0x1b,
  "i16x8.eq": 0x2d,
  "i32x4.eq": 0x37,
  "i32x4.lt_s": 0x39,
  "i32x4.ge_u": 0x40,
  "i32x4.gt_u": 0x3c,
  "i32x4.lt_u": 0x3a,
  "f32x4.ne": 0x42,
  "f32x4.lt": 0x43,
  "f32x4.gt": 0x44,
  "v128.and": 0x4e,
  "v128.not": 0x4d,
  "v128.andnot": 0x4f,
  "v128.or": 0x50,
  "v128.bitselect": 0x52,
  "v128.any_true": 0x53,
  "v128.xor": 0x51,
  "v128.store64_lane": 0x5b,
  "f64x2.promote_low_f32x4": 0x5f,
  "i16x8.narrow_i32x4_u": 0x86,
  "i32x4.bitmask": 0xa4,
  "i32x4.shl": 0xab,
  "i32x4.shr_u": 0xad,
  "i32x4.add": 0xae,
  "i32x4.sub": 0xb1,
  "i32x4.mul": 0xb5,
  "i32x4.max_u": 0xb9,
  "f32x4.add": 0xe4,
  "f32x4.sub": 0xe5,
  "f32x4.mul": 0xe6,
  "f32x4.div": 0xe7,
  "f64x2.add": 0xf0,
  "f64x2.sub": 0xf1,
  "f64x2.mul": 0xf2,
  "f32x4.convert_i32x4_u": 0xfb,
} as const;

export type Instruction = keyof typeof plain | keyof typeof vector;

/** An instruction and what it is followed by: indices, or the alignment and offset of an access to memory. */
export function op(name: Instruction, ...immediates: readonly number[]): Code {
  const followed = immediates.flatMap(unsigned);
  return name in plain
    ? [plain[name as keyof typeof plain], ...followed]
    : [0xfd, ...unsigned(vector[name as keyof typeof vector]), ...followed];
}

/** An access to memory, of any alignment, `offset` bytes behind the address. */
export function at(name: Instruction, offset: number, ...lane: readonly number[]): Code {
  return op(name, 0, offset, ...lane);
}

/** Four times the same bits. */
export function splat(bits: number): Code {
  return [...i32(bits), ...op("i32x4.splat")];
}

export function i32(value: number): Code {
  return [0x41, ...signed(value | 0)];
}

/** Adds to a local. */
export function increase(local: number, by: number): Code {
  return [...op("local.get", local), ...i32(by), ...op("i32.add"), ...op("local.set", local)];
}

/** Code that is done where what is on the stack, an i32, is not 0. */
export function conditional(body: Code): Code {
  return [...op("if"), 0x40, ...body, ...op("end")];
}

/** Code that is done again as long as what it leaves, an i32, is not 0. */
export function repeated(body: Code): Code {
  return [0x03, 0x40, ...body, ...op("br_if", 0), ...op("end")];
}

export interface WasmFunction {
  readonly parameters: readonly ValueType[];
  readonly result?: ValueType | undefined;
  /** Behind the parameters. */
  readonly locals: readonly ValueType[];
  readonly body: Code;
}

/** A module that imports the memory `env.memory` and exports the function as `run`. */
export function assemble({ parameters, result, locals, body }: WasmFunction): Uint8Array<ArrayBuffer> {
  const types = (list: readonly ValueType[]): Code => listed(list.map((type) => [valueTypes[type]]));
  const type = [0x60, ...types(parameters), ...types(result ? [result] : [])];
  const declared = listed(locals.map((local) => [1, valueTypes[local]]));
  const code = sized([...declared, ...body, ...op("end")]);
  const memory = [...named("env"), ...named("memory"), 2, 0, 1];
  const sections: readonly (readonly [id: number, entry: Code])[] = [
    [1, type],
    [2, memory],
    [3, [0]],
    [7, [...named("run"), 0, 0]],
    [10, code],
  ];
  const header = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  return Uint8Array.from([...header, ...sections.flatMap(([id, entry]) => [id, ...sized(listed([entry]))])]);
}

function listed(entries: readonly Code[]): Code {
  return [...unsigned(entries.length), ...entries.flat()];
}

function sized(code: Code): Code {
  return [...unsigned(code.length), ...code];
}

function named(text: string): Code {
  return sized([...Buffer.from(text)]);
}

/** LEB128: seven bits a byte, the lowest first. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest];
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x3f || rest < -0x40; rest >>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest & 0x7f];
}
