import { spawnSync } from "node:child_process";

/** Returns whether there is a Docker client with an engine that answers. */
export function dockerAnswers(): boolean {
  const asked = spawnSync("docker", ["version", "--format", "{{.Server.Version}}"], { timeout: 5000 });
  return asked.status === 0;
}
