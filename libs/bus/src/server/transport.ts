/** Nest's id of this transport: handlers of others in the same application stay with theirs. */
export const BUS_TRANSPORT = Symbol.for('fidelis.bus');
