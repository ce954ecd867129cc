import { afterEach, expect, it } from "vitest";
import { catalogue, type ServiceName } from "../src/catalogue.js";
import { type Server, server } from "../src/service.js";
import { describeWithServer } from "../src/vitest.js";
import { hold, isReserved } from "./held.js";

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
      expect(isReserved(one.port)).toBe(false);
    });

    it("does not outlive a test process that is killed", async () => {
      const holder = await hold(name);
      const [port = 0] = holder.ports;
      expect(await answers(port)).toBe(true);
      await holder.kill(holder.ports);
      expect(await answers(port)).toBe(false);
    });
  });
}
