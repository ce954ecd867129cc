import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { catalogue, type ServiceName } from "../src/catalogue.js";
import { bundleProgram } from "../src/program.js";
import { type Server, server } from "../src/service.js";
import { describeWithServer } from "../src/vitest.js";

for (const name of Object.keys(catalogue) as ServiceName[]) {
  const { title, urlVariable, ready } = catalogue[name];
  const answers = (port: number): Promise<boolean> => ready(port, 1000);

  describeWithServer(name, `a server of ${title}, which ${urlVariable} may stand for`, () => {
    const started: Server[] = [];
    const start = async (): Promise<Server> => {
      const one = await server(name);
      started.push(one);
      return one;
    };
    afterEach(() => Promise.all(started.splice(0).map((one) => one.stop())));

    it("answers as soon as it has been given out, directly and through a proxy", async () => {
      const one = await start();
      const proxy = await one.proxy();
      expect(await answers(one.port)).toBe(true);
      expect(await answers(proxy.port)).toBe(true);
      expect(new URL(proxy.url).port).toBe(String(proxy.port));
    });

    it("is gone when kill resolves, and answers again on the same port after restart", async () => {
      const one = await start();
      await one.kill();
      expect(await answers(one.port)).toBe(false);
      await one.restart();
      expect(await answers(one.port)).toBe(true);
    });

    it("answers nothing while it is paused, and everything afterwards", async () => {
      const one = await start();
      await one.pause();
      expect(await ready(one.port, 200)).toBe(false);
      await one.resume();
      expect(await answers(one.port)).toBe(true);
    });

    it("can be killed and stopped while it is paused, and gives its port back", async () => {
      const one = await start();
      await one.pause();
      await one.kill();
      await one.stop();
      expect(await answers(one.port)).toBe(false);
      expect(existsSync(mark(one.port))).toBe(false);
    });

    it("does not outlive a test process that is killed", async () => {
      const program = await bundleProgram(new URL("holder.ts", import.meta.url));
      const holder = fork(program.path, [name], { execArgv: [] });
      const [{ port }] = (await once(holder, "message")) as [{ port: number }];
      expect(await answers(port)).toBe(true);
      holder.kill("SIGKILL");
      while (existsSync(mark(port))) await new Promise((resolve) => setTimeout(resolve, 5));
      expect(await answers(port)).toBe(false);
      program.remove();
    });
  });
}

/** What keeps a port from other test processes; it goes last, together with the server's folder. */
function mark(port: number): string {
  return join(tmpdir(), "cacheme-test-ports", String(port));
}
