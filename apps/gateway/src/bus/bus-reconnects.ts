/** Tells followers that the connection to NATS was lost and is back: what happened in between was not delivered to them. */
export class BusReconnects {
  private readonly listeners = new Set<() => void>();

  /** @returns a function that ends it */
  onReconnect(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  notify(): void {
    for (const listener of this.listeners) listener();
  }
}
