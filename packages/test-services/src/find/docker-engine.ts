import { spawnSync } from "node:child_process";

/** Whether there is a Docker client and an engine that answers it. */
export function dockerAnswers(): boolean {
  const asked = spawnSync("docker", ["version", "--format", "{{.Server.Version}}"], { timeout: 5000 });
  return asked.status === 0;
}
