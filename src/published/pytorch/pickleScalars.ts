import type { PickleBytes } from './pickleBytes';

/** Numbers, texts and bytes of a pickle, by the opcode before them. */
export const scalars: Readonly<Record<number, (bytes: PickleBytes) => unknown>> = {
  // NONE, NEWTRUE, NEWFALSE
  78: () => null,
  136: () => true,
  137: () => false,
  // BININT, BININT1, BININT2, BINFLOAT, LONG1, LONG4
  74: (bytes) => bytes.int32(),
  75: (bytes) => bytes.byte(),
  77: (bytes) => bytes.uint16(),
  71: (bytes) => bytes.float64(),
  138: (bytes) => bytes.integer(bytes.byte()),
  139: (bytes) => bytes.integer(bytes.uint32()),
  // INT; protocol 0 writes booleans as 00 and 01
  73: (bytes) => {
    const line = bytes.line();
    return line === '01' ? true : line === '00' ? false : Number(line);
  },
  // LONG, FLOAT
  76: (bytes) => bytes.integerLine(),
  70: (bytes) => Number(bytes.line()),
  // BINUNICODE, SHORT_BINUNICODE, BINUNICODE8, UNICODE
  88: (bytes) => bytes.utf8(bytes.uint32()),
  140: (bytes) => bytes.utf8(bytes.byte()),
  141: (bytes) => bytes.utf8(bytes.uint64()),
  86: (bytes) => bytes.line(),
  // STRING (in quotes), BINSTRING, SHORT_BINSTRING
  83: (bytes) => bytes.line().slice(1, -1),
  84: (bytes) => bytes.utf8(bytes.uint32()),
  85: (bytes) => bytes.utf8(bytes.byte()),
  // BINBYTES, SHORT_BINBYTES, BINBYTES8, BYTEARRAY8
  66: (bytes) => bytes.part(bytes.uint32()),
  67: (bytes) => bytes.part(bytes.byte()),
  142: (bytes) => bytes.part(bytes.uint64()),
  150: (bytes) => bytes.part(bytes.uint64()),
};
