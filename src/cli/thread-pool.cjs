/**
 * Gives Node's pool a thread for each core, which computes there, and some that read files meanwhile. Without that it has four, whatever the
 * machine. The pool asks for its size when it is first used, which to load a module of ES is: hence this, which is none.
 */
const { availableParallelism } = require("node:os");

/** So many files are read at once. */
const READING = 4;

process.env["UV_THREADPOOL_SIZE"] ??= String(availableParallelism() + READING);
