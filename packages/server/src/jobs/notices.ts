/**
 * One LISTEN connection per process. It comes back by itself when the database was away; who listens must then read
 * anew what it cares about, because notices of that time are gone (`onConnected`).
 */
import pg from 'pg';

export type Channel = 'isocenter_queue' | 'isocenter_cancel' | 'isocenter_job';

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;
/** A peer that vanished without closing is noticed by an unanswered query. */
const PING_EVERY_MS = 15_000;
const PING_ANSWER_MS = 5_000;

export interface NoticesOptions {
  readonly url: string;
  readonly channels: readonly Channel[];
  readonly onNotice: (channel: Channel, payload: string) => void;
  /** After each connection, the first one included. */
  readonly onConnected: () => void;
}

export class Notices {
  readonly #options: NoticesOptions;
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ping: NodeJS.Timeout | undefined;
  #retryMs = FIRST_RETRY_MS;
  #closed = false;
  #connecting: Promise<void> = Promise.resolve();

  constructor(options: NoticesOptions) {
    this.#options = options;
  }

  /** Connects; does not wait for the database when it is away. */
  async start(): Promise<void> {
    this.#connecting = this.#connect();
    await this.#connecting;
  }

  async #connect(): Promise<void> {
    if (this.#closed) return;
    const client = new pg.Client({
      connectionString: this.#options.url,
      application_name: 'isocenter-notices',
      keepAlive: true,
      connectionTimeoutMillis: PING_ANSWER_MS,
      query_timeout: PING_ANSWER_MS,
    });
    // 'error' and 'end' may both come, and both while connecting: the first one that finds this client current acts.
    const lost = () => this.#lost(client);
    client.on('error', lost);
    client.on('end', lost);
    client.on('notification', ({ channel, payload }) => this.#options.onNotice(channel as Channel, payload ?? ''));
    this.#client = client;
    try {
      await client.connect();
      await client.query(this.#options.channels.map((channel) => `listen ${channel}`).join('; '));
    } catch {
      lost();
      return;
    }
    if (this.#client !== client) return;
    this.#retryMs = FIRST_RETRY_MS;
    this.#ping = setInterval(() => client.query('select 1').catch(lost), PING_EVERY_MS);
    this.#ping.unref();
    this.#options.onConnected();
  }

  #lost(client: pg.Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    clearInterval(this.#ping);
    client.end().catch(() => undefined);
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#connecting = this.#connect();
    }, this.#retryMs);
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#connecting;
    clearInterval(this.#ping);
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }
}
