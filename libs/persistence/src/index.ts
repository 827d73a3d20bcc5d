export { isUnavailable, openDatabase, type DatabaseOptions } from './data-source.js';
export { Outbox, type OutboxPublisher, type OutgoingMessage } from './outbox.js';
export { OutboxMessage } from './outbox-message.entity.js';
export { PersistenceModule, pingDatabase } from './persistence.module.js';
