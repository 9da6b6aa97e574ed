import { freeBytesAt } from "../files/free-bytes.ts";
import { baseOf } from "../experiment/the-base.ts";
import { generationKind } from "../run/estimates/search-kind.ts";
import type { Session } from "../run/session/session.ts";
import type { PlannedDisk } from "./run-plan.ts";

/** Bytes of a number in the side file, and of a record of a generation in the journal, about. */
const NUMBER_BYTES = 8;
const RECORD_BYTES = 4096;

interface DiskOptions {
  readonly folder: string;
  readonly generations: number;
  /** Of models and rows of the Hub. */
  readonly fetchBytes: number;
}

/** What a run writes: points, gradients and losses of its generations, a record of each; and beside an earlier export the new one. */
export async function planDisk(
  session: Session,
  { folder, generations, fetchBytes }: DiskOptions,
): Promise<PlannedDisk> {
  const { genome, tasks, exports, workspace } = session;
  const { candidates, usesGradients } = generationKind(session);
  const rows = tasks.reduce((sum, { search }) => sum + search.length, 0);
  const numbers = candidates * (genome.dimension * (usesGradients ? 2 : 1) + rows);
  const runBytes = generations * (NUMBER_BYTES * numbers + RECORD_BYTES);
  const weights = [...baseOf(workspace.checkpoints).tensors.values()];
  const exportBytes = exports ? weights.reduce((sum, { bytes }) => sum + bytes, 0) : 0;
  const neededBytes = runBytes + exportBytes + fetchBytes;
  return { folder, runBytes, exportBytes, fetchBytes, neededBytes, freeBytes: await freeBytesAt(folder) };
}
