export { isUnavailable, openDatabase, withDatabaseErrors, type DatabaseOptions } from './data-source.js';
export { Outbox, outgoingEvent, type OutboxPublisher, type OutgoingMessage } from './outbox.js';
export { OutboxMessage } from './outbox-message.entity.js';
export { outboxProvider } from './outbox.provider.js';
export { PersistenceModule, pingDatabase } from './persistence.module.js';
