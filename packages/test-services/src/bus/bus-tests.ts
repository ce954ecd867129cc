import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { bundledProgram } from "../bundled-program.js";
import { temporaryFolder } from "../machine/temporary-folder.js";
import { until } from "../network/cleanup.js";
import type { Program } from "../program.js";
import type { Server } from "../run/service.js";
import type { BusAnswer, BusCall, BusCalls } from "./bus-user.js";

type Calls = {
  readonly [Name in keyof BusCalls]: (
    ...given: Parameters<BusCalls[Name]>
  ) => Promise<Awaited<ReturnType<BusCalls[Name]>>>;
};

/** Milliseconds of the processor that a turn of the event loop may take. */
const longestTurn = 50;

/** Bytes that the heap may grow by: less than a hundred bytes for each invalidation. */
const mostGrowth = 8_000_000;

const stormy = 100_000;

/**
 * Describes two processes on one bus: an invalidation, a cut, a killed server, and a storm.
 *
 * @param server the server of the entries and of the bus
 * @param source the program, which calls `serveDriverUser`
 */
export function describeBusProcesses(server: () => Server, source: URL): void {
  // Each test starts two processes, which take their time on a busy machine.
  describe("two processes on one bus", { timeout: 20_000 }, () => {
    const program = bundledProgram(source);

    async function processes({ bus = server().url } = {}) {
      const folder = temporaryFolder("bus");
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      const file = join(folder, "source");
      const [{ calls: one, ended }, { calls: other }] = [
        await started(program(), server().url, server().url, file),
        await started(program(), bus, server().url, file),
      ];
      const setSource = (value: string) => writeFileSync(file, value);
      setSource("old");
      return { one, other, setSource, id: randomUUID(), endOfOne: ended };
    }

    it("drop each other's local entries", async () => {
      const { one, other, setSource, id } = await processes();
      expect(await one.get(id)).toBe("old");
      expect(await other.get(id)).toBe("old");
      setSource("new");
      await one.invalidate(id);
      await until(async () => (await other.look(id)).value === undefined);
      expect(await other.get(id)).toBe("new");
    });

    it("drop everything once a bus that was cut is there again", async () => {
      const proxy = await server().proxy();
      const { one, other, setSource, id } = await processes({ bus: proxy.url });
      await other.get(id);
      await proxy.refuse();
      await until(async () => (await other.look(id)).state === "lost");
      setSource("new");
      await one.invalidate(id);
      expect(await other.look(id)).toEqual({ state: "lost", value: "old" });
      await proxy.heal();
      await until(async () => (await other.look(id)).state === "subscribed");
      expect(await other.look(id)).toEqual({ state: "subscribed", value: undefined });
      expect(await other.get(id)).toBe("new");
      await one.invalidate(id);
      await until(async () => (await other.look(id)).value === undefined);
    });

    it("serve nothing old once a server that was killed is there again", async () => {
      const { one, other, setSource, id } = await processes();
      await Promise.all([one.get(id), other.get(id)]);
      await server().kill();
      await until(async () => (await other.look(id)).state === "lost");
      setSource("new");
      await one.invalidate(id); // It cannot reach the server, and says so.
      await server().restart();
      await until(async () => (await one.invalidate(id)) === undefined);
      await until(async () => (await other.look(id)).state === "subscribed");
      expect(await other.get(id)).toBe("new");
      expect(await one.get(id)).toBe("new");
    });

    it("end by themselves, and send their last news before", async () => {
      const { one, other, id, endOfOne } = await processes();
      await other.get(id);
      await one.invalidateLast(id);
      expect(await endOfOne).toBe(0);
      await until(async () => (await other.look(id)).value === undefined);
    });

    it("bear a storm of 100,000 invalidations", { timeout: 30_000 }, async () => {
      const { one, other } = await processes();
      const storm = async () => {
        await other.fill(stormy);
        expect(await other.left(stormy)).toBe(stormy);
        await Promise.all([one.watch(), other.watch()]);
        await one.storm(stormy);
        await until(async () => !(await other.has(stormy - 1)));
        const watched = [await one.watched(), await other.watched()];
        expect(await other.left(stormy)).toBe(0);
        for (const { growth } of watched) expect(growth).toBeLessThan(mostGrowth);
        return Math.max(...watched.map((one) => one.longestTurn));
      };
      // One of the turns may have collected garbage. The storm itself would be in each of three.
      let shortest = await storm();
      for (let again = 0; again < 2 && shortest >= longestTurn; again++) {
        shortest = Math.min(shortest, await storm());
      }
      expect(shortest).toBeLessThan(longestTurn);
    });
  });
}

interface Started {
  readonly calls: Calls;
  /** The exit code. */
  readonly ended: Promise<number | null>;
}

/** Starts a process, which ends with its test. */
async function started(program: Program, bus: string, storage: string, source: string): Promise<Started> {
  const child = fork(program.path, [bus, storage, source]);
  onTestFinished(() => void child.kill("SIGKILL"));
  const answers: Answers = new Map();
  let numbers = 0;
  child.on("message", (answer: BusAnswer) => {
    answers.get(answer.number)?.resolve(answer);
    answers.delete(answer.number);
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  child.on("exit", (code) => {
    for (const { reject } of answers.values()) reject(new Error(`The process ended with ${code}.`));
  });
  await answerTo(answers, 0);
  const call = async (name: keyof BusCalls, argument: unknown): Promise<unknown> => {
    const number = ++numbers;
    const answered = answerTo(answers, number);
    child.send({ number, name, argument } satisfies BusCall);
    const { answer, error } = await answered;
    if (error !== undefined) throw new Error(error);
    return answer;
  };
  // Each property is the call of that name in the other process.
  const calls = new Proxy({} as Calls, {
    get: (_, name) => (argument: unknown) => call(name as keyof BusCalls, argument),
  });
  return { calls, ended };
}

interface Waiting {
  resolve(answer: BusAnswer): void;
  reject(error: Error): void;
}

type Answers = Map<number, Waiting>;

function answerTo(answers: Answers, number: number): Promise<BusAnswer> {
  return new Promise((resolve, reject) => answers.set(number, { resolve, reject }));
}
