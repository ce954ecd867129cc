import { afterEach, beforeEach, expect, it } from "vitest";
import { type Server, server } from "../src/run/service.js";
import { catalogue, type ServiceName } from "../src/services/catalogue.js";
import { describeWithServer } from "../src/vitest.js";
import { describeHeld, isReserved } from "./held.js";

for (const name of Object.keys(catalogue) as ServiceName[]) {
  const { title, ready } = catalogue[name];
  const answers = (port: number): Promise<boolean> => ready(port, 1000);

  describeWithServer(name, `a server of ${title}`, () => {
    let one: Server;
    beforeEach(async () => {
      one = await server(name);
    });
    afterEach(() => one.stop());

    it("answers as soon as server() resolves, directly and through a proxy", async () => {
      const proxy = await one.proxy();
      expect(await answers(one.port)).toBe(true);
      expect(await answers(proxy.port)).toBe(true);
      expect(new URL(proxy.url).port).toBe(String(proxy.port));
    });

    it("has ended when kill resolves, and answers again on the same port after restart", async () => {
      await one.kill();
      expect(await answers(one.port)).toBe(false);
      await one.restart();
      expect(await answers(one.port)).toBe(true);
    });

    it("answers nothing while it is paused, and everything afterwards", async () => {
      await one.pause();
      expect(await ready(one.port, 200)).toBe(false);
      await one.resume();
      expect(await answers(one.port)).toBe(true);
    });

    it("can be killed and stopped while it is paused, and releases its port", async () => {
      await one.pause();
      await one.kill();
      await one.stop();
      expect(await answers(one.port)).toBe(false);
      expect(isReserved(one.port)).toBe(false);
    });
  });

  describeHeld(name, `a server of ${title} that another test process started`, name, (held) => {
    it("does not outlive that process when it is killed", async () => {
      const { ports, kill } = held();
      const [port = 0] = ports;
      expect(await answers(port)).toBe(true);
      await kill(ports);
      expect(await answers(port)).toBe(false);
    });
  });
}
