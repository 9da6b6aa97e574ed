import { UserError } from "../errors.ts";

/** An error as plain data, since those that cross between threads lose their class and whatever else they have. */
export interface ThreadFault {
  readonly isExpected: boolean;
  readonly message: string;
  /** Of a system call that failed. */
  readonly code?: string;
  readonly errno?: number;
}

/** What nobody expects comes with its stack, which is that of the thread. */
export function threadFaultOf(error: unknown): ThreadFault {
  if (!(error instanceof Error)) return { isExpected: false, message: String(error) };
  const { message, stack = message, code, errno }: NodeJS.ErrnoException = error;
  const isExpected = error instanceof UserError;
  return {
    isExpected,
    message: isExpected || errno !== undefined ? message : stack,
    ...(code !== undefined && { code }),
    ...(errno !== undefined && { errno }),
  };
}

/** The error in the thread that asked. */
export function errorOf({ isExpected, message, code, errno }: ThreadFault): Error {
  if (isExpected) return new UserError(message);
  return Object.assign(new Error(message), code !== undefined && { code }, errno !== undefined && { errno });
}
