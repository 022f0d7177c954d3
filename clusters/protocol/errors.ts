/**
 * Bytes that are not what the protocol allows: what was expected, what was found, and where.
 *
 * It never leaves the room: a connection turns it into the reason why it closed, a file reader into an InputError.
 */
export class ProtocolError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ProtocolError";
  }
}
