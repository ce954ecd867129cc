import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { JobMessage, JobReport } from "./job.js";

/** The options of a run of the job. */
export interface JobSettings {
  readonly parameters: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends the process. */
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, of: number) => void;
}

/** Runs the job in a fresh process. Rejects with the error output of the process. */
export function runJob({ parameters, env, signal, onProgress }: JobSettings): Promise<JobReport> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL("./job.js", import.meta.url)), parameters, {
      env: { ...process.env, ...env },
      serialization: "advanced",
      stdio: ["ignore", "inherit", "pipe", "ipc"],
      signal,
    });
    let complaint = "";
    let report: JobReport | undefined;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      complaint += text;
    });
    child.on("message", (message: JobMessage) => {
      if ("report" in message) report = message.report;
      else onProgress(message.done, message.of);
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0 && report !== undefined) resolve(report);
      else reject(new Error(complaint.trim() || `The job ended with code ${code}.`));
    });
  });
}
