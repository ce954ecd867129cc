import assert from "node:assert/strict";
import { checkShutdown } from "./shutdown.mjs";

/**
 * Checks the compiled server of an example that serves articles: an article, a rename, the health page and the shutdown.
 *
 * @param {string} folder the example
 * @param {{ body: string, type: string }} rename the request that renames an article to "On speed", with its content type
 * @returns {Promise<string>} the result of the shutdown, for the printed line
 */
export function checkArticlesServer(folder, { body, type }) {
  const use = async (ask) => {
    const first = await ask("/articles/1");
    assert.deepEqual(JSON.parse(first.body), { id: "1", title: "Article 1", words: ["article", "1"] });
    const headers = { "content-type": type };
    const renamed = await ask("/articles/1", { method: "PUT", body, headers });
    assert.equal(renamed.status, 204);
    assert.equal(JSON.parse((await ask("/articles/1")).body).title, "On speed");
    const health = await ask("/health");
    assert.equal(health.status, 200);
    assert.deepEqual(JSON.parse(health.body).storages, [{ name: "local", failureCount: 0 }]);
  };
  return checkShutdown([process.execPath, "dist/main.js"], folder, use, {
    quick: (count) => `/articles/${count}`,
    slow: (count) => `/articles/archive-${count}`,
  });
}
