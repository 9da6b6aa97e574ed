/** Runs the instructions of PTX that our kernels consist of, as NVIDIA's manual has them (PTX ISA 7.0), one thread after the other. */
import { fromFloat32, toFloat32 } from "../../../../src/tensor/half.ts";

/** Memory that a kernel may touch, by where it begins. */
export type PtxMemory = ReadonlyMap<bigint, Uint8Array>;

/** Which thread this is, of how many. */
type Thread = Readonly<Record<"%ctaid.x" | "%ntid.x" | "%tid.x" | "%nctaid.x", number>>;

/** What a thread has: registers by name, words of 32 bits and halves as unsigned numbers. */
interface State {
  readonly registers: Map<string, number | bigint | boolean>;
  readonly parameters: ReadonlyMap<string, number | bigint>;
  readonly memory: PtxMemory;
  readonly thread: Thread;
}

interface Instruction {
  readonly name: string;
  readonly operands: readonly string[];
  /** A register that says whether it is executed. */
  readonly guard: string | undefined;
}

export interface PtxKernel {
  readonly parameters: readonly { readonly type: "u64" | "f32"; readonly name: string }[];
  readonly registers: ReadonlyMap<string, number>;
  readonly instructions: readonly Instruction[];
  readonly labels: ReadonlyMap<string, number>;
}

/** The kernels of a text by name; an Error where a line is none that is known. */
export function parsePtx(text: string): ReadonlyMap<string, PtxKernel> {
  const [head, ...kernels] = text.split(".visible .entry ");
  if (!/^\.version 7\.0\n\.target sm_80\n\.address_size 64\s*$/.test(head!)) throw new Error(`found a head ${head}`);
  return new Map(kernels.map(parseKernel));
}

function parseKernel(text: string): [string, PtxKernel] {
  const [, name, list, body] = /^(\w+)\(\n([^)]*)\n\)\n\{\n([^]*)\n\}\s*$/.exec(text)!;
  const parameters = list!.split(",\n").map((line) => {
    const [, type, own] = /^ {2}\.param \.(u64|f32) (\w+)$/.exec(line)!;
    return { type: type as "u64" | "f32", name: own! };
  });
  const labels = new Map<string, number>();
  const registers = new Map<string, number>();
  const instructions: Instruction[] = [];
  for (const line of body!.split("\n").map((own) => own.trim())) {
    const register = /^\.reg \.\w+ (%\w)<(\d+)>;$/.exec(line);
    const instruction = /^(?:@(%\w+) )?([\w.:]+)(?: (.*))?;$/.exec(line);
    if (line.endsWith(":")) labels.set(line.slice(0, -1), instructions.length);
    else if (register) registers.set(register[1]!, Number(register[2]));
    else if (instruction) {
      const operands = instruction[3]?.match(/\{[^}]*\}|[^,\s]+/g) ?? [];
      instructions.push({ name: instruction[2]!, operands, guard: instruction[1] });
    } else throw new Error(`found ${line}`);
  }
  return [name!, { parameters, registers, instructions, labels }];
}

/** Runs all threads of a kernel, whose parameters lie packed as C has them. */
export function runPtx(
  kernel: PtxKernel,
  { packed, memory, blocks, threads }: { packed: DataView; memory: PtxMemory; blocks: number; threads: number },
): void {
  let at = 0;
  const parameters = new Map<string, number | bigint>();
  for (const { type, name } of kernel.parameters) {
    parameters.set(name, type === "u64" ? packed.getBigUint64(at, true) : packed.getUint32(at, true));
    at += type === "u64" ? 8 : 4;
  }
  if (at !== packed.byteLength) throw new Error(`${at} bytes of parameters, found ${packed.byteLength}`);
  for (let block = 0; block < blocks; block++) {
    for (let own = 0; own < threads; own++) {
      const thread = { "%ctaid.x": block, "%ntid.x": threads, "%tid.x": own, "%nctaid.x": blocks };
      runThread(kernel, { registers: new Map(), parameters, memory, thread });
    }
  }
}

function runThread({ instructions, labels, registers }: PtxKernel, state: State): void {
  for (let at = 0; ; at++) {
    const { name, operands, guard } = instructions[at]!;
    for (const used of operands.join().match(/%[a-z]\d+/g) ?? [])
      if (!(Number(used.slice(2)) < registers.get(used.slice(0, 2))!)) throw new Error(`${used} is not declared`);
    if (guard !== undefined && state.registers.get(guard) === false) continue;
    if (name === "ret") return;
    if (name === "bra") at = labels.get(operands[0]!)! - 1;
    else if (effects[name]) effects[name](operands, state);
    else throw new Error(`${name} is not known`);
  }
}

type Effect = (operands: readonly string[], state: State) => void;

const [floats, words] = (() => {
  const view = new Float32Array(1);
  return [view, new Uint32Array(view.buffer)];
})();

const asFloat = (bits: number): number => ((words[0] = bits), floats[0]!);
const asBits = (value: number): number => ((floats[0] = value), words[0]!);

function value(operand: string, { registers, thread }: State): number | bigint | boolean {
  const known = registers.get(operand) ?? (thread as Readonly<Record<string, number>>)[operand];
  if (known !== undefined) return known;
  if (/^0f[0-9A-F]{8}$/.test(operand)) return Number.parseInt(operand.slice(2), 16);
  if (/^\d+$/.test(operand)) return Number(operand);
  throw new Error(`nothing was written to ${operand}`);
}

const word = (operand: string, state: State): number => Number(value(operand, state));
const long = (operand: string, state: State): bigint => BigInt(value(operand, state));

/** An instruction that makes a float of floats; each operation of JavaScript's on them rounds as f32 once, by way of f64 (Figueroa 1995). */
const ofFloats =
  (work: (...values: number[]) => number): Effect =>
  ([result, ...read], state) =>
    void state.registers.set(result!, asBits(work(...read.map((own) => asFloat(word(own, state))))));
const ofWords =
  (work: (...values: number[]) => number): Effect =>
  ([result, ...read], state) =>
    void state.registers.set(result!, work(...read.map((own) => word(own, state))) >>> 0);
const ofLongs =
  (work: (...values: bigint[]) => bigint): Effect =>
  ([result, ...read], state) =>
    void state.registers.set(result!, BigInt.asUintN(64, work(...read.map((own) => long(own, state)))));

const load =
  (bytes: number, count: number): Effect =>
  ([results, address], state) => {
    const view = placeOf(address!, bytes * count, state);
    for (const [i, result] of listed(results!).entries())
      state.registers.set(result, bytes === 2 ? view.getUint16(0, true) : view.getUint32(bytes * i, true));
  };
const store =
  (bytes: number, count: number): Effect =>
  ([address, values], state) => {
    const view = placeOf(address!, bytes * count, state);
    for (const [i, own] of listed(values!).entries()) {
      if (bytes === 2) view.setUint16(0, word(own, state), true);
      else view.setUint32(bytes * i, word(own, state), true);
    }
  };

const bf16 = (bits: number): number => halfOf(bits, "bf16");
const f16 = (bits: number): number => halfOf(bits, "f16");
/** The first of the two that are read comes to the upper half. */
const pair =
  (round: (bits: number) => number): Effect =>
  ([result, upper, lower], state) =>
    void state.registers.set(result!, ((round(word(upper!, state)) << 16) | round(word(lower!, state))) >>> 0);

const effects: Readonly<Record<string, Effect>> = {
  "ld.param.u64": ([result, name], { registers, parameters }) =>
    void registers.set(result!, parameters.get(name!.slice(1, -1))!),
  "ld.param.f32": ([result, name], { registers, parameters }) =>
    void registers.set(result!, parameters.get(name!.slice(1, -1))!),
  "ld.global.nc.b16": load(2, 1),
  "ld.global.nc.f32": load(4, 1),
  "ld.global.nc.v4.f32": load(4, 4),
  "ld.global.nc.v4.b32": load(4, 4),
  "st.global.b16": store(2, 1),
  "st.global.f32": store(4, 1),
  "st.global.v4.f32": store(4, 4),
  "st.global.v4.b32": store(4, 4),
  "mov.u32": ofWords((x) => x),
  "mov.b16": ofWords((x) => x),
  "mov.b32": ([result, read], state) => {
    if (result!.startsWith("{")) {
      const [low, high] = listed(result!);
      state.registers.set(low!, word(read!, state) & 0xffff);
      state.registers.set(high!, word(read!, state) >>> 16);
    } else {
      const [low, high] = listed(read!);
      state.registers.set(result!, ((word(high!, state) << 16) | word(low!, state)) >>> 0);
    }
  },
  "add.rn.f32": ofFloats((x, y) => x + y),
  "sub.rn.f32": ofFloats((x, y) => x - y),
  "mul.rn.f32": ofFloats((x, y) => x * y),
  "abs.f32": ofFloats(Math.abs),
  "setp.gt.f32": ([result, x, y], state) =>
    void state.registers.set(result!, asFloat(word(x!, state)) > asFloat(word(y!, state))),
  "selp.f32": ([result, x, y, which], state) =>
    void state.registers.set(result!, value(state.registers.get(which!) === true ? x! : y!, state)),
  "cvt.f32.f16": ofWords(
    (bits) => new Uint32Array(toFloat32(Uint8Array.of(bits & 0xff, bits >>> 8), "f16").buffer)[0]!,
  ),
  "cvt.rn.f16.f32": ofWords(f16),
  "cvt.rn.bf16.f32": ofWords(bf16),
  "cvt.rn.f16x2.f32": pair(f16),
  "cvt.rn.bf16x2.f32": pair(bf16),
  "cvt.u32.u64": ([result, read], state) =>
    void state.registers.set(result!, Number(BigInt.asUintN(32, long(read!, state)))),
  "cvt.u64.u32": ofLongs((x) => x),
  "mul.wide.u32": ofLongs((x, y) => x * y),
  "mad.lo.u64": ofLongs((x, y, z) => x * y + z),
  "add.u64": ofLongs((x, y) => x + y),
  "mad.lo.u32": ofWords((x, y, z) => Math.imul(x, y) + z),
  "div.u32": ofWords((x, y) => Math.floor(x / y)),
  "rem.u32": ofWords((x, y) => x % y),
  "setp.ge.u64": ([result, x, y], state) => void state.registers.set(result!, long(x!, state) >= long(y!, state)),
};

function halfOf(bits: number, dtype: "f16" | "bf16"): number {
  return new Uint16Array(fromFloat32(new Float32Array(Uint32Array.of(bits).buffer), dtype).buffer)[0]!;
}

function listed(operand: string): string[] {
  return operand.replaceAll(/[{}]/g, "").split(/,\s*/);
}

/** As a GPU has it, what is read or written at once lies at a multiple of its bytes. */
function placeOf(operand: string, bytes: number, state: State): DataView {
  const [, register, offset = "0"] = /^\[(%\w+)(?:\+(\d+))?\]$/.exec(operand)!;
  const address = long(register!, state) + BigInt(offset);
  if (address % BigInt(bytes) !== 0n) throw new Error(`${address} is no multiple of ${bytes} bytes`);
  for (const [start, region] of state.memory) {
    const at = Number(address - start);
    if (at >= 0 && at + bytes <= region.byteLength) return new DataView(region.buffer, region.byteOffset + at, bytes);
  }
  throw new Error(`${bytes} bytes at ${address} are in no tensor`);
}
