/** Where the bus writes what people should know. A pino logger fits after swapping its arguments; so does Nest's. */
export interface BusLog {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export const silentLog: BusLog = { info: () => undefined, warn: () => undefined, error: () => undefined };
