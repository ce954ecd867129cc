import type { Bus, BusConnection, BusReceiver } from "cacheme";

/** A receiver that keeps its reports in their order. */
export class Recorder implements BusReceiver {
  readonly reports: string[] = [];
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

  changed(): void {
    this.#report("changed");
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

export interface Joined {
  readonly recorder: Recorder;
  readonly connection: BusConnection;
}

export async function joined(bus: Bus): Promise<Joined> {
  const recorder = new Recorder();
  return { recorder, connection: await bus.connect(recorder, { prefix: "cacheme" }) };
}
