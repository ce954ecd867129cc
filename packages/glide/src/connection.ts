import {
  ClosingError,
  ConnectionError,
  GlideClient,
  GlideClusterClient,
  TimeoutError,
} from "@valkey/valkey-glide";
import { cutOff, isError, noAnswer, Reconnector, type StorageCall } from "cacheme/driver";
import { type AnyGlideClient, isClient, type Servers, type Settings } from "./options.js";

/**
 * The client, and whether it is connected. GLIDE also reconnects by itself, but meanwhile it keeps
 * each call until its deadline, and it keeps a connection that the network has lost. So the storage
 * closes such a client and makes a new one. A client of the program stays as it is.
 */
export class Connection {
  readonly #settings: Settings;
  readonly #reconnector: Reconnector | undefined;
  /** The connected client, or the client of the attempt to connect. */
  #client: AnyGlideClient | undefined;
  /** The number of answered calls. While it grows, the server is not silent. */
  #answers = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    const { connect, connectTimeout, target } = settings;
    this.#client = isClient(target) ? target : undefined;
    if (isClient(target)) return;
    this.#reconnector = new Reconnector({
      connectTimeout,
      isPersistent: connect === "lazy",
      dial: (life) => void this.#dial(target, life),
      hangUp: (reason) => this.#lose(reason, false),
    });
  }

  async open(): Promise<void> {
    await (this.#reconnector?.untilReady() ?? this.#client?.ping());
  }

  async close(): Promise<void> {
    this.#reconnector?.close();
    if (this.#reconnector !== undefined) this.#hangUp();
  }

  /** Makes a call on the connected client. Fails at once if the server is known to be down. */
  async use<T>(call: StorageCall, act: (client: AnyGlideClient) => Promise<T>): Promise<T> {
    const client = await this.#connected(call);
    if (call.isLate) return new Promise<never>(() => {});
    const answers = this.#answers;
    call.whenLate(() => {
      const silence = noAnswer(this.#settings.commandTimeout);
      if (this.#client === client && this.#answers === answers) this.#lose(silence, true);
    });
    try {
      const answer = await act(client);
      this.#answers++;
      return answer;
    } catch (error) {
      // The error of the deadline follows, and says more. A client of the program may have a shorter one.
      if (error instanceof TimeoutError && this.#reconnector !== undefined)
        return new Promise<never>(() => {});
      const isLost = error instanceof ClosingError || error instanceof ConnectionError;
      if (isLost && this.#client === client) this.#lose(error, false);
      if (!isLost) this.#answers++;
      throw error;
    }
  }

  async #connected(call: StorageCall): Promise<AnyGlideClient> {
    const { failure } = this.#reconnector ?? {};
    if (failure !== undefined) throw call.unreachable(failure);
    await this.#reconnector?.untilReady().catch((error) => Promise.reject(call.unreachable(error)));
    if (this.#client !== undefined) return this.#client;
    throw call.unreachable(cutOff("the connection was lost meanwhile"));
  }

  async #dial(servers: Servers, life: AbortSignal): Promise<void> {
    try {
      const client = await makeClient(servers, this.#settings);
      if (life.aborted) return client.close();
      this.#client = client;
      await client.ping();
      if (!life.aborted) this.#reconnector?.ready();
    } catch (error) {
      if (!life.aborted) this.#lose(error, false);
    }
  }

  #lose(reason: unknown, isSilent: boolean): void {
    // A client of the program is not the storage's to close.
    if (this.#reconnector !== undefined) this.#hangUp();
    this.#reconnector?.lost(isError(reason) ? reason : new Error(String(reason)), { isSilent });
  }

  #hangUp(): void {
    this.#client?.close();
    this.#client = undefined;
  }
}

/** Makes a client that connects with its first command, so that the storage can close it before. */
async function makeClient(servers: Servers, settings: Settings): Promise<AnyGlideClient> {
  const { cluster, credentials, ...options } = servers;
  const client = await (cluster ? GlideClusterClient : GlideClient).createClient({
    ...options,
    ...(credentials && { credentials }),
    lazyConnect: true,
    requestTimeout: settings.commandTimeout,
    advancedConfiguration: { connectionTimeout: settings.connectTimeout },
    // GLIDE 2.5 reconnects without a pause if it has no retry: then no client of the process works.
    connectionBackoff: { numberOfRetries: 1, factor: 50, exponentBase: 2 },
    inflightRequestsLimit: 1_000_000,
  });
  // Lets the program end while no call waits. GLIDE has no public way to do it.
  Object(Object(client).socket).unref?.();
  return client;
}
