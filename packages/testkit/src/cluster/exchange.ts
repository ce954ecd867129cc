import { StorageError } from "cacheme/driver";
import type { Deliverable, Ending, Network } from "./network.js";

/** A process that sends requests. A program that was started again is another one. */
export interface Sender {
  readonly process: number;
  /** Whether the program has crashed. Its requests still arrive, but nobody waits for answers. */
  isDead: boolean;
}

/** The call of a storage's method, and the way to carry it out on the server. */
export interface Call<T> {
  readonly sender: Sender;
  readonly place: string;
  readonly operation: string;
  readonly keys: readonly string[];
  /** Carries the call out on the server. Throws if the server is in trouble. */
  readonly carryOut: () => T;
}

/** The answer of a server, or its error. */
type Answer<T> = { readonly value: T } | { readonly error: unknown };

/** A request on its way to a server, then its answer on its way back. */
class Exchange<T> implements Deliverable {
  readonly process: number;
  readonly place: string;
  readonly operation: string;
  readonly keys: readonly string[];
  readonly number: number;
  kind: "request" | "answer" = "request";
  readonly #network: Network;
  readonly #call: Call<T>;
  #answer: Answer<T> | undefined;
  #settle: { readonly resolve: (value: T) => void; readonly reject: (error: unknown) => void } | undefined;

  constructor(
    network: Network,
    call: Call<T>,
    number: number,
    settle?: { readonly resolve: (value: T) => void; readonly reject: (error: unknown) => void },
  ) {
    this.#network = network;
    this.#call = call;
    this.#settle = settle;
    this.process = call.sender.process;
    this.place = call.place;
    this.operation = call.operation;
    this.keys = call.keys;
    this.number = number;
  }

  get isAwaited(): boolean {
    return this.#settle !== undefined && !this.#call.sender.isDead;
  }

  end(how: Ending): void {
    if (this.kind === "answer") this.#endAnswer(how);
    else this.#endRequest(how);
  }

  #endRequest(how: Ending): void {
    if (how === "fail") {
      this.#reject("The connection was lost before the request arrived");
      return;
    }
    if (how === "giveUp") this.#reject("The deadline has passed, and the request may still arrive");
    if (how === "repeat" || how === "giveUp") {
      this.#network.send(new Exchange(this.#network, this.#call, this.#network.nextNumber()));
    }
    if (how === "giveUp") return;
    try {
      this.#answer = { value: this.#call.carryOut() };
    } catch (error) {
      this.#answer = { error };
    }
    if (this.#settle === undefined || this.#call.sender.isDead) return;
    this.kind = "answer";
    this.#network.send(this);
  }

  #endAnswer(how: Ending): void {
    const answer = this.#answer;
    const settle = this.#settle;
    if (answer === undefined || settle === undefined || this.#call.sender.isDead) return;
    if (how === "fail" || how === "giveUp") this.#reject("The connection was lost before the answer arrived");
    else if ("error" in answer) settle.reject(answer.error);
    else settle.resolve(answer.value);
  }

  #reject(reason: string): void {
    const { operation, place } = this;
    if (this.#call.sender.isDead) return;
    this.#settle?.reject(
      new StorageError("CACHEME_STORAGE_FAILED", `${reason}: ${operation}.`, { storage: place }),
    );
    this.#settle = undefined;
  }
}

/** Sends a call to its server. The promise settles when the answer arrives, or is lost. */
export function exchange<T>(network: Network, call: Call<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (call.sender.isDead) return;
    network.send(new Exchange(network, call, network.nextNumber(), { resolve, reject }));
  });
}
