/** Something under way that ends when the schedule says so: a request, its answer, a load. */
export interface Message {
  readonly kind: "request" | "answer" | "load" | "bus";
  /** The process that sent a request, waits for an answer, loads, or gets the bus's message. */
  readonly process: number;
  /** The name of the storage, `source` for a load, `bus` for a message of the bus. */
  readonly place: string;
  /** The operation, such as `readMany` or `acquire`. */
  readonly operation: string;
  readonly keys: readonly string[];
  /** The number of the message, in the order of sending. A request and its answer share one. */
  readonly number: number;
  /** Whether a process waits for it. A request that a process has given up remains under way. */
  readonly isAwaited: boolean;
}

/** The ways in which a message ends. */
export type Ending =
  /** It arrives. */
  | "arrive"
  /**
   * It gets lost, and the process that waits for it learns of the failure at once. A load fails. A
   * message of the bus gets lost, and nobody learns of it.
   */
  | "fail"
  /**
   * The process gives up waiting: its call fails. A request arrives later. Any other message
   * fails.
   */
  | "giveUp"
  /** It arrives, and a copy of a request or of the bus's message arrives again, later. */
  | "repeat";

/** A message under way. */
export interface Deliverable extends Message {
  /** Ends the message. Sends whatever remains under way, or follows, to the network. */
  end(how: Ending): void;
}

/** The messages of a cluster that are under way, the oldest first. */
export class Network {
  readonly #pending: Deliverable[] = [];
  /** Whether a request may arrive after its process has given up, or twice. */
  lateRequests = true;
  readonly #cuts = new Set<string>();
  #sent = 0;
  /** Called when a message is sent. */
  onSend: ((message: Message) => void) | undefined;
  /** Called when a message ends, before its effects. */
  onEnd: ((message: Message, how: Ending) => void) | undefined;

  /** Draws the number of the next message. */
  nextNumber(): number {
    this.#sent += 1;
    return this.#sent;
  }

  get pending(): readonly Message[] {
    return this.#pending;
  }

  send(message: Deliverable): void {
    this.#pending.push(message);
    this.onSend?.(message);
  }

  /** Ends the message of that place, modulo the number of messages. Returns whether there was one. */
  end(which: number, how: Ending): boolean {
    const [message] = this.#pending.splice(which % Math.max(1, this.#pending.length), 1);
    if (message === undefined) return false;
    if (this.#cuts.size > 0 && this.#isCut(message)) this.#endCut(message);
    else this.#end(message, how);
    return true;
  }

  /** Separates a process from a storage, or from the bus, until {@link reconnect}. */
  cut(process: number, place: string): void {
    this.#cuts.add(`${process} ${place}`);
  }

  /** Connects every process with every place again. */
  reconnect(): void {
    this.#cuts.clear();
  }

  #isCut({ process, place }: Message): boolean {
    return this.#cuts.has(`${process} ${place}`);
  }

  /** Lets the process give up. Its request remains under way until the network is connected again. */
  #endCut(message: Deliverable): void {
    if (message.kind === "request" && !message.isAwaited) {
      this.#pending.push(message);
      return;
    }
    this.#end(message, message.kind === "request" ? "giveUp" : "fail");
  }

  #end(message: Deliverable, how: Ending): void {
    const ending = message.kind === "request" && !this.lateRequests ? inTime(message, how) : how;
    this.onEnd?.(message, ending);
    message.end(ending);
  }

  /**
   * Ends each message that is under way now and that the test accepts, the oldest first.
   *
   * @returns the number of the messages
   */
  endWhere(how: Ending, accepts: (message: Message) => boolean = () => true): number {
    const ending = this.#pending.filter(accepts);
    for (const message of ending) {
      const place = this.#pending.indexOf(message);
      if (place >= 0) this.end(place, how);
    }
    return ending.length;
  }
}

/** Returns the way in which a request ends that may not arrive late, or twice. */
function inTime({ isAwaited }: Message, how: Ending): Ending {
  if (!isAwaited || how === "giveUp") return "fail";
  return how === "repeat" ? "arrive" : how;
}
