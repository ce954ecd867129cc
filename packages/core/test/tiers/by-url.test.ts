import { describe, expect, it } from "vitest";
import { Cacheme, type RegisterOptions, registerScheme, type StorageInfo } from "../../src/index.js";
import { storageByUrl } from "../../src/tiers/by-url.js";
import { reason, thrownBy } from "../support/reason.js";
import { SimulatedRemote } from "../support/simulated-remote.js";
import { countingNode } from "../support/space.js";
import { VirtualClock } from "../support/virtual-clock.js";

/** Stands for the packages that a program has installed. */
function installed(packages: Record<string, Record<string, unknown>>) {
  const asked: string[] = [];
  const importer = async (name: string) => {
    asked.push(name);
    const found = packages[name];
    if (found === undefined) throw Object.assign(new Error(`no ${name}`), { code: "ERR_MODULE_NOT_FOUND" });
    return found;
  };
  return { asked, importer };
}

describe("an address", () => {
  it.each([
    ["redis://localhost", "@cacheme/redis", "redis"],
    ["rediss://localhost", "@cacheme/redis", "redis"],
    ["VALKEY://localhost", "@cacheme/redis", "redis"],
    ["redis+cluster://a,b", "@cacheme/redis", "redis"],
    ["redis+sentinel://a,b/main", "@cacheme/redis", "redis"],
    ["valkey+cluster://a,b", "@cacheme/redis", "redis"],
    ["valkeys+cluster://a,b", "@cacheme/redis", "redis"],
    ["valkey+sentinel://a,b/main", "@cacheme/redis", "redis"],
    ["valkeys+sentinel://a,b/main", "@cacheme/redis", "redis"],
    ["glide://localhost", "@cacheme/glide", "glide"],
    ["glides+cluster://a,b", "@cacheme/glide", "glide"],
    ["mongodb+srv://localhost", "@cacheme/mongodb", "mongodb"],
    ["postgres://localhost", "@cacheme/postgres", "postgres"],
    ["postgresql://localhost", "@cacheme/postgres", "postgres"],
    ["mysql://localhost", "@cacheme/mysql", "mysql"],
    ["mariadb://localhost", "@cacheme/mysql", "mysql"],
    ["sqlite:cache.db", "@cacheme/sqlite", "sqlite"],
    ["memcached://localhost", "@cacheme/memcached", "memcached"],
    ["file:///var/cache", "@cacheme/file", "file"],
  ])("%s is made by %s", async (url, name, factory) => {
    const made = new SimulatedRemote(new VirtualClock());
    const calls: unknown[] = [];
    const { importer } = installed({
      [name]: { [factory]: (...given: unknown[]) => calls.push(given) && made },
    });
    expect(await storageByUrl(url, { connect: "lazy" }, importer)).toBe(made);
    expect(calls).toEqual([[url, { connect: "lazy" }]]);
  });

  it("whose package is missing names the package to install", async () => {
    const { importer } = installed({});
    expect(await reason(storageByUrl("mysql://root:secret@db/cache", {}, importer))).toMatchObject({
      code: "CACHEME_MISSING_PACKAGE",
      message: expect.stringMatching(/npm install @cacheme\/mysql mysql2/),
    });
  });

  it("keeps the error of a package that exists but does not load", async () => {
    const broken = new Error("broken");
    expect(await reason(storageByUrl("redis://localhost", {}, () => Promise.reject(broken)))).toBe(broken);
  });

  it.each(["couchdb://name:secret@localhost", "constructor:secret", "localhost:6379", "not an address", ""])(
    "%o, which is unknown, is refused without being shown",
    async (url) => {
      const error = await reason(storageByUrl(url, {}));
      expect(error).toMatchObject({
        code: "CACHEME_UNKNOWN_SCHEME",
        message: expect.stringMatching(/Known schemes: .*redis.*registerScheme/),
      });
      expect(String(error)).not.toMatch(/secret/);
    },
  );

  it("of memory bounds it", async () => {
    expect(await storageByUrl("memory:?maxSize=500", {})).toMatchObject({ label: "memory (500 entries)" });
    expect(await storageByUrl("memory:", {})).toMatchObject({ label: "memory (10,000 entries)" });
    expect(await reason(storageByUrl("memory:?size=5", {}))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
    });
    expect(await reason(storageByUrl("memory:?maxSize=many", {}))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
    });
  });

  it("of null keeps nothing, and loads are still shared", async () => {
    const cacheme = new Cacheme();
    await cacheme.registerStorage("none", "null:");
    const { Counting, loads } = countingNode({ caches: [{ storage: "none" }] }, (id) => id);
    expect(await Promise.all([cacheme.get(new Counting(1)), cacheme.get(new Counting(1))])).toEqual([1, 1]);
    expect(loads).toEqual([1]);
    await cacheme.get(new Counting(1));
    expect(loads).toEqual([1, 1]);
  });
});

describe("registerStorage with an address", () => {
  it("registers the storage of the scheme's factory, with the options", async () => {
    const cacheme = new Cacheme();
    const given: unknown[] = [];
    registerScheme("mine", async (url, options) => {
      given.push(url, options);
      return new SimulatedRemote(new VirtualClock());
    });
    await cacheme.registerStorage("far", "mine://there", { commandTimeout: "2s", needs: [] });
    expect(given).toEqual(["mine://there", { commandTimeout: "2s" }]);
    expect(cacheme.storages()).toMatchObject([{ name: "far", kind: "remote", label: "simulated" }]);
  });

  it("keeps the name while the storage is being made, and frees it if that fails", async () => {
    const cacheme = new Cacheme();
    const first = cacheme.registerStorage("far", "nowhere://");
    expect(await reason(cacheme.registerStorage("far", "memory:"))).toMatchObject({
      code: "CACHEME_DUPLICATE_STORAGE",
    });
    expect(await reason(first)).toMatchObject({ code: "CACHEME_UNKNOWN_SCHEME" });
    await cacheme.registerStorage("far", "memory:");
  });

  it("closes a storage that cannot be connected or does not support what is needed", async () => {
    const made: SimulatedRemote[] = [];
    registerScheme("unwell", async () => {
      const storage = new SimulatedRemote(new VirtualClock());
      storage.connect = () => Promise.reject(new Error("down"));
      storage.close = () => {
        storage.closed += 1;
        return Promise.reject(new Error("cannot be closed either"));
      };
      made.push(storage);
      return storage;
    });
    const cacheme = new Cacheme();
    expect(await reason(cacheme.registerStorage("far", "unwell:"))).toMatchObject({
      code: "CACHEME_CONNECT_FAILED",
    });
    expect(await reason(cacheme.registerStorage("far", "unwell:", { needs: ["leases"] }))).toMatchObject({
      code: "CACHEME_NOT_OFFERED",
    });
    expect(made.map(({ closed }) => closed)).toEqual([1, 1]);
    const [given] = made;
    if (given !== undefined) await reason(cacheme.registerStorage("far", given));
    expect(given?.closed).toBe(1);
  });

  it.each(["memory:", "null:"])(
    "%s takes a connection's options, and refuses those without effect",
    async (url) => {
      const cacheme = new Cacheme();
      await cacheme.registerStorage("taken", url, { connect: "lazy", commandTimeout: 500 });
      expect(
        await reason(cacheme.registerStorage("near", url, { maxSize: 5 } as RegisterOptions)),
      ).toMatchObject({
        code: "CACHEME_INVALID_OPTION",
        message: expect.stringMatching(/has no option "maxSize"/),
      });
      expect(await reason(cacheme.registerStorage("near", `${url}?size=5`))).toMatchObject({
        code: "CACHEME_INVALID_OPTION",
      });
      expect(cacheme.storages()).toMatchObject([{ name: "taken" }]);
    },
  );

  it("as a URL object is refused with the accepted form", async () => {
    const url = new URL("redis://:secret@localhost") as never;
    const error = await reason(new Cacheme().registerStorage("far", url));
    expect(error).toMatchObject({ code: "CACHEME_INVALID_OPTION" });
    expect(String(error)).toMatch(/a storage or an address.*a string such as/);
    expect(String(error)).not.toMatch(/secret/);
  });

  it("refuses options for a connection beside a finished storage", async () => {
    const cacheme = new Cacheme();
    const remote = new SimulatedRemote(new VirtualClock());
    expect(await reason(cacheme.registerStorage("far", remote, { connect: "lazy" }))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
      message: expect.stringMatching(/option connect/),
    });
  });
});

describe("registerScheme", () => {
  it.each(["redis", "memory", "Couch", "couch:", ""])("refuses %o", (scheme) => {
    expect(
      thrownBy(() => registerScheme(scheme, () => new SimulatedRemote(new VirtualClock()))),
    ).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
    });
  });

  it("refuses a scheme twice, and anything but a function", () => {
    registerScheme("once", () => new SimulatedRemote(new VirtualClock()));
    expect(
      thrownBy(() => registerScheme("once", () => new SimulatedRemote(new VirtualClock()))),
    ).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
      message: expect.stringMatching(/has a storage already/),
    });
    expect(thrownBy(() => registerScheme("nothing", "x" as never))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
    });
  });
});

describe("needs", () => {
  it("refuses a storage that does not support it, with the driver's reason, before it is connected", async () => {
    const cacheme = new Cacheme();
    const remote = Object.assign(new SimulatedRemote(new VirtualClock()), {
      lacks: { scan: "The server cannot list its keys." },
    });
    expect(await reason(cacheme.registerStorage("far", remote, { needs: ["scan"] }))).toMatchObject({
      code: "CACHEME_NOT_OFFERED",
      storage: "far",
      message: expect.stringMatching(/does not support scan: The server cannot list its keys\./),
    });
    expect(remote.connected).toBe(0);
    await cacheme.registerStorage("far", remote);
  });

  it("refuses a storage whose server lacks it when it connects, with the reason", async () => {
    const cacheme = new Cacheme();
    const remote = new SimulatedRemote(new VirtualClock());
    const lacking = Object.assign(remote, {
      info: (async () => ({ server: "simulated 1" })) as (() => Promise<StorageInfo>) | undefined,
      lacks: {},
      connect: async () => {
        lacking.info = undefined;
        lacking.lacks = { info: "Behind this proxy the server is out of sight." };
      },
    });
    expect(await reason(cacheme.registerStorage("far", lacking, { needs: ["info"] }))).toMatchObject({
      code: "CACHEME_NOT_OFFERED",
      message: expect.stringContaining(
        "does not support info: Behind this proxy the server is out of sight.",
      ),
    });
    expect(cacheme.storages()).toEqual([]);
    await cacheme.registerStorage("far", lacking);
  });

  it.each([[["scans"]], ["scan"], [null]])(
    "refuses %o, which is not a list of capabilities",
    async (needs) => {
      const cacheme = new Cacheme();
      for (const storage of [new SimulatedRemote(new VirtualClock()), "memory:"]) {
        expect(
          await reason(cacheme.registerStorage("far", storage, { needs } as unknown as RegisterOptions)),
        ).toMatchObject({
          code: "CACHEME_INVALID_OPTION",
          message: expect.stringMatching(/Give a list of generations, info, leases, scan, touchMany\./),
        });
      }
    },
  );

  it("takes a storage that supports it, and every local one", async () => {
    const cacheme = new Cacheme();
    const remote = Object.assign(new SimulatedRemote(new VirtualClock()), {
      info: async () => ({ server: "simulated 1" }),
    });
    await cacheme.registerStorage("far", remote, { needs: ["info"] });
    await cacheme.registerStorage("near", "memory:", { needs: ["leases", "scan"] });
    expect(cacheme.storages()).toMatchObject([
      { name: "far", offers: ["info", "touchMany"] },
      { name: "near", offers: [] },
    ]);
  });
});
