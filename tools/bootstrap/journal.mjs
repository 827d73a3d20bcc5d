/** Seconds with one digit, as people read them. */
const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/**
 * Tells on standard error what is being done and how long it took. Standard output belongs to whoever is started after the set-up.
 */
export class Journal {
  #started = performance.now();
  #steps = 0;

  /** True while nothing had to be done. */
  get quiet() {
    return this.#steps === 0;
  }

  /** @param {string} text */
  say(text) {
    process.stderr.write(`${text}\n`);
  }

  /** @param {string} text */
  note(text) {
    this.say(`[setup]   ${text}`);
  }

  /** @param {string} text */
  warn(text) {
    this.say(`[setup] ! ${text}`);
  }

  /**
   * Does one piece of work under a title.
   * @template T
   * @param {string} title
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  async step(title, work) {
    this.#steps += 1;
    const started = performance.now();
    this.say(`[setup] ${title} ...`);
    try {
      const result = await work();
      this.say(`[setup] ${title}: done in ${seconds(performance.now() - started)}`);
      return result;
    } catch (error) {
      this.say(`[setup] ${title}: failed after ${seconds(performance.now() - started)}`);
      throw error;
    }
  }

  /** @param {string} summary */
  finish(summary) {
    const took = seconds(performance.now() - this.#started);
    this.say(
      this.quiet ? `[setup] up to date (${took}): ${summary}` : `[setup] ready in ${took}: ${summary}`,
    );
  }
}
