import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Server, server } from "../src/run/service.js";
import { describeWithServer } from "../src/vitest.js";
import { ask, Conversation } from "./conversation.js";

describeWithServer("redis", "a server in a container", () => {
  let folder: string;
  let state: string;
  let redis: Server | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cacheme-docker-"));
    state = mkdtempSync(join(tmpdir(), "cacheme-containers-"));
    copyFileSync(fileURLToPath(new URL("docker", import.meta.url)), join(folder, "docker"));
    writeFileSync(join(folder, "services.json"), JSON.stringify({ redis: { from: "docker" } }));
    vi.stubEnv("PATH", `${folder}${delimiter}${process.env.PATH}`);
    vi.stubEnv("CACHEME_FAKE_DOCKER", state);
    vi.stubEnv("CACHEME_SERVICES_FILE", join(folder, "services.json"));
  });
  afterEach(async () => {
    await redis?.stop();
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
    rmSync(state, { recursive: true });
  });

  it("starts, dies, restarts with its data, pauses, resumes and is removed like a process", async () => {
    redis = await server("redis");
    expect(readdirSync(state)).toHaveLength(1);
    await ask(redis.port, "SET key kept");
    await redis.kill();
    expect(await ask(redis.port, "PING")).toBe("closed");
    await redis.restart();
    const conversation = new Conversation(redis.port);
    expect(await conversation.ask("GET key")).toBe("$4\r\nkept");

    await redis.pause();
    conversation.say("ECHO late");
    await redis.resume();
    expect(await conversation.hear()).toBe("$4\r\nlate");
    conversation.end();

    await redis.stop();
    expect(readdirSync(state)).toEqual([]);
    expect(await ask(redis.port, "PING")).toBe("closed");
  });
});
