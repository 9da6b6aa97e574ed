/** The last token of each text as a batch: which column of the cache has which token, and what the last one sees. */
import type { Uploads } from "../evaluate/uploads.ts";
import { spanOfLength, type Encoding, type Model, type Spans } from "../model/architecture.ts";
import type { SourceBatch, TokenBatch } from "../model/token-batch.ts";

export interface CacheColumns {
  /** Of the tokens that were read first, with the padding behind those of shorter texts. */
  readonly width: number;
  /** Tokens of each text among those. */
  readonly lengths: readonly number[];
  /** Tokens of each text that were read since, one by one. */
  readonly later: number;
  /** Of what an encoder read, with its padding; 0 where there is none. */
  readonly sourceWidth: number;
}

/** The same, with the tokens that an encoder read of each text. */
type WithSources = CacheColumns & { readonly sources: readonly number[] };

/** f32 [texts, 1, columns]: 0 where the last token sees another or itself within a window, else -Infinity. */
function lastMask({ width, lengths, later }: CacheColumns, window: number): Float32Array {
  const columns = width + later;
  const mask = new Float32Array(lengths.length * columns).fill(-Infinity);
  for (const [row, length] of lengths.entries()) {
    const own = mask.subarray(row * columns, (row + 1) * columns);
    const last = length + later - 1;
    own.fill(0, Math.min(length, Math.max(0, last - window + 1)), length);
    own.fill(0, Math.max(width, columns - window));
  }
  return mask;
}

/** i32 [texts]: the position of the last token, 0 in texts whose length is in another span. */
function lastPositions({ lengths, later }: CacheColumns, spans: Spans, span: string): Int32Array {
  const all = lengths.map((length) => length + later);
  return Int32Array.from(all, (length) => (spanOfLength(spans, length) === span ? length - 1 : 0));
}

/** What the last token sees of the source, and how far it is from each column of the cache. */
async function putSource(
  uploads: Uploads,
  { targetBucket }: Encoding,
  { width, lengths, later, sourceWidth, sources }: WithSources,
): Promise<SourceBatch> {
  const seen = new Float32Array(sources.length * sourceWidth).fill(-Infinity);
  for (const [row, count] of sources.entries()) seen.fill(0, row * sourceWidth, row * sourceWidth + count);
  // Columns of padding are not seen, whatever their distance.
  const distances = lengths.flatMap((length) =>
    Array.from({ length: width + later }, (_, column) => {
      const position = column < width ? column : length + column - width;
      return targetBucket(position - (length + later - 1));
    }),
  );
  return {
    length: sourceWidth,
    seen: await uploads.put(seen, [sources.length, 1, sourceWidth]),
    targetDistances: await uploads.put(Int32Array.from(distances), [distances.length]),
  };
}

/** Brings the last token of each text to the device as a batch; its constants are those of the texts' first batch. */
export async function putLast(
  uploads: Uploads,
  { windows, spans, encoding }: Pick<Model, "windows" | "spans" | "encoding">,
  tokens: Int32Array,
  columns: WithSources,
): Promise<Omit<TokenBatch, "constants">> {
  const sequences = tokens.length;
  const all = await uploads.put(
    Int32Array.from(tokens, (_, i) => i),
    [sequences],
  );
  const maskShape = [sequences, 1, columns.width + columns.later];
  return {
    sequences,
    length: 1,
    tokens: await uploads.put(tokens, [sequences]),
    positions: await uploads.putEach(spans, (_, span) => [lastPositions(columns, spans, span), [sequences]]),
    masks: await uploads.putEach(windows, (window) => [lastMask(columns, window), maskShape]),
    ...(encoding && { source: await putSource(uploads, encoding, columns) }),
    targets: [{ rows: all }],
    remembers: true,
  };
}
