/** Coefficients of columns as a file of safetensors: an f32 tensor for each parameter, weight and expert. */
import {
  formatHeader,
  LENGTH_BYTES,
  parseHeader,
  readHeaderLength,
  type StoredTensor,
  type TensorSpec,
} from "../checkpoint/safetensors-header.ts";
import { UserError } from "../errors.ts";
import { showUntrusted } from "../files/show-untrusted.ts";
import type { RecipeWithColumns } from "../merge/recipe.ts";
import { pack, type Packed, unpack } from "../tensor/packed.ts";

type RecipeColumns = RecipeWithColumns["columns"];

/** Names of experts and parameters have no slash. */
const NAME = /^(?<parameter>[^/]+)\/(?<weight>.+)\/(?<expert>[^/]+)$/;

/** The file: tensors named `<parameter>/<weight>/<expert>` of shape [columns], in the order of the recipe. */
export function formatColumns(columns: RecipeColumns): Uint8Array {
  const tensors = Object.entries(columns).flatMap(([parameter, weights]) =>
    Object.entries(weights).flatMap(([weight, experts]) =>
      Object.entries(experts).map(([expert, packed]) => tensorOf(`${parameter}/${weight}/${expert}`, packed)),
    ),
  );
  return Buffer.concat([formatHeader(tensors), ...tensors.map(({ bytes }) => bytes)]);
}

/** What `formatColumns` was given; a UserError with the path for bytes of anything else. */
export function parseColumns(file: Buffer<ArrayBuffer>, path: string): RecipeColumns {
  const end = LENGTH_BYTES + readHeaderLength(file.subarray(0, LENGTH_BYTES), path, file.length);
  const columns = named<Record<string, Record<string, Packed>>>();
  for (const tensor of parseHeader(file.subarray(LENGTH_BYTES, end), path, file.length).tensors) {
    const { parameter, weight, expert } = nameOf(tensor, path);
    const values = new Float32Array(new Uint8Array(file.subarray(tensor.start, tensor.start + tensor.bytes)).buffer);
    ((columns[parameter] ??= named())[weight] ??= named())[expert] = pack(values);
  }
  return columns;
}

function tensorOf(name: string, packed: Packed): TensorSpec & { readonly bytes: Uint8Array } {
  const values = unpack(packed);
  if (!values) throw new Error(`columns: ${name} is not packed`);
  return { name, dtype: "f32", shape: [values.length], bytes: new Uint8Array(values.buffer) };
}

function nameOf({ name, dtype, shape }: StoredTensor, path: string): Record<"parameter" | "weight" | "expert", string> {
  const { parameter, weight, expert } = NAME.exec(name)?.groups ?? {};
  if (dtype === "f32" && shape.length === 1 && parameter && weight && expert) return { parameter, weight, expert };
  throw new UserError(
    `${path}: tensor ${showUntrusted(name)}: expected f32 of one dimension named <parameter>/<weight>/<expert>, found ${dtype} [${shape.join(", ")}]`,
  );
}

/** Without a prototype: a stranger's names may be those of its members. */
function named<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}
