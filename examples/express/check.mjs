import assert from "node:assert/strict";

const here = import.meta.dirname;
const { compile } = await import(`${process.env.CACHEME_SUPPORT}/processes.mjs`);
const { checkShutdown } = await import(`${process.env.CACHEME_SUPPORT}/shutdown.mjs`);

await compile(here);
const seen = await checkShutdown(
  [process.execPath, "dist/main.js"],
  here,
  async (ask) => {
    const first = await ask("/articles/1");
    assert.deepEqual(JSON.parse(first.body), { id: "1", title: "Article 1", words: ["article", "1"] });
    assert.equal(
      (
        await ask("/articles/1", {
          method: "PUT",
          body: "On speed",
          headers: { "content-type": "text/plain" },
        })
      ).status,
      204,
    );
    assert.equal(JSON.parse((await ask("/articles/1")).body).title, "On speed");
    const { status, body } = await ask("/health");
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(body).storages, [{ name: "local", failureCount: 0 }]);
  },
  { quick: (count) => `/articles/${count}`, slow: (count) => `/articles/archive-${count}` },
);
console.log(seen);
