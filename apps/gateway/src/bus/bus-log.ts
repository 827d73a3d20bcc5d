import type { BusLog } from '@fidelis/bus';
import type { Logger } from '@fidelis/observability';

/** pino wants the fields before the message. */
export function busLog(logger: Logger): BusLog {
  return {
    info: (message, fields) => logger.info(fields, message),
    warn: (message, fields) => logger.warn(fields, message),
    error: (message, fields) => logger.error(fields, message),
  };
}
