/** The part of a `BusConnection` that the tests use. */
export interface ConnectionLike {
  publish(messages: readonly string[]): Promise<unknown>;
  close(): Promise<void>;
  restart(reason: Error): void;
}

/** A `Bus`. */
export interface BusLike<C extends ConnectionLike = ConnectionLike> {
  connect(receiver: Recorder, space: { readonly prefix: string }): Promise<C>;
}

/** A receiver that keeps its reports in their order. */
export class Recorder {
  readonly reports: string[] = [];
  readonly changes: string[] = [];
  /** Called after each report. */
  reported: (report: string) => void = () => {};

  message(text: string): void {
    this.#report(text);
  }

  subscribed(): void {
    this.#report("subscribed");
  }

  lost(reason: Error): void {
    this.#report(`lost: ${reason.message}`);
  }

  changed(keys: readonly string[] | "all"): void {
    this.changes.push(...(keys === "all" ? ["all"] : keys));
  }

  /** Returns how many reports begin so. */
  count(beginning: string): number {
    return this.reports.filter((report) => report.startsWith(beginning)).length;
  }

  #report(report: string): void {
    this.reports.push(report);
    this.reported(report);
  }
}

export interface Joined<C extends ConnectionLike = ConnectionLike> {
  readonly recorder: Recorder;
  readonly connection: C;
}

export async function joined<C extends ConnectionLike>(
  bus: BusLike<C>,
  prefix = "cacheme",
): Promise<Joined<C>> {
  const recorder = new Recorder();
  return { recorder, connection: await bus.connect(recorder, { prefix }) };
}
