/** A number at a step of a run. */
export interface ScalarPoint {
  readonly tag: string;
  readonly step: number;
  /** Kept in 32 bits, NaN and infinities too. */
  readonly value: number;
}

/** Fields of the protocol buffers of TensorBoard's event.proto and summary.proto, with the kind of value that each has. */
const EVENT = { wallTime: 0x09, step: 0x10, fileVersion: 0x1a, summary: 0x2a } as const;
const SUMMARY = { value: 0x0a } as const;
const VALUE = { tag: 0x0a, simpleValue: 0x15 } as const;

/** The time stands in front of all else, in so many bytes. */
const TIME_BYTES = 9;

/** What every file begins with: the version of the format. `seconds` are those since 1970. */
export function versionMessage(seconds: number): Buffer {
  return Buffer.concat([time(seconds), bytes(EVENT.fileVersion, Buffer.from("brain.Event:2"))]);
}

/** A scalar as an event. */
export function scalarMessage({ tag, step, value }: ScalarPoint, seconds: number): Buffer {
  const simpleValue = Buffer.alloc(5);
  simpleValue.writeUInt8(VALUE.simpleValue);
  simpleValue.writeFloatLE(value, 1);
  const summary = bytes(SUMMARY.value, Buffer.concat([bytes(VALUE.tag, Buffer.from(tag)), simpleValue]));
  // A field that is 0 is left out, as every writer of such messages does.
  const numbered = step === 0 ? Buffer.alloc(0) : Buffer.from([EVENT.step, ...varint(step)]);
  return Buffer.concat([time(seconds), numbered, bytes(EVENT.summary, summary)]);
}

/** What of an event is the same whenever it is told, as text to compare. */
export function untimedText(message: Buffer): string {
  return message.toString("latin1", TIME_BYTES);
}

function time(seconds: number): Buffer {
  const field = Buffer.alloc(TIME_BYTES);
  field.writeUInt8(EVENT.wallTime);
  field.writeDoubleLE(seconds, 1);
  return field;
}

function bytes(field: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([field, ...varint(content.length)]), content]);
}

/** Seven bits a byte, the lowest first. */
function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...varint(Math.floor(value / 0x80))];
}
