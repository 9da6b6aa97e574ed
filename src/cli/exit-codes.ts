/** Every way in which the program ends. */
export const exitCodes = {
  done: 0,
  /** An expected failure, told in one sentence, results that nobody took, or a bug, shown with its stack. */
  failed: 1,
  wrongUsage: 2,
  /** Interrupted by a person; what was recorded can be resumed. */
  interrupted: 130,
} as const;
