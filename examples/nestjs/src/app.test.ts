import "reflect-metadata";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Test } from "@nestjs/testing";
import { Cacheme, stats } from "cacheme";
import { AppModule } from "./app.module.js";
import { ArticlesService } from "./articles.service.js";
import { ArticleNode, TitleNode } from "./nodes.js";
import { ArticleRepository, Dictionary } from "./sources.js";

/** Creates an application with this test's own sources. */
async function application(name: string) {
  const calls: string[] = [];
  const repository = {
    async find(id: string) {
      calls.push(`find ${id}`);
      return { id, title: `${name} ${id}` };
    },
    async rename() {
      calls.push("rename");
    },
  };
  const dictionary = {
    async words(text: string) {
      calls.push(`words ${text}`);
      return [name];
    },
  };
  const app = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(ArticleRepository)
    .useValue(repository)
    .overrideProvider(Dictionary)
    .useValue(dictionary)
    .compile();
  await app.init();
  return { app, calls, articles: app.get(ArticlesService), cacheme: app.get(Cacheme) };
}

test("reads through the overridden providers, once for many readers", async () => {
  const { app, calls, articles } = await application("test");
  const found = await Promise.all([articles.find("1"), articles.find("1"), articles.find("1")]);
  assert.deepEqual(found[0], { id: "1", title: "test 1", words: ["test"] });
  assert.deepEqual(found[1], found[2]);
  assert.deepEqual(calls, ["find 1", "words test 1"]);
  await app.close();
});

test("keeps two applications in one process apart", async () => {
  const [one, two] = [await application("one"), await application("two")];
  for (const { articles } of [one, two, one, two]) {
    const name = articles === one.articles ? "one" : "two";
    assert.deepEqual(await articles.find("1"), { id: "1", title: `${name} 1`, words: [name] });
    assert.equal(await articles.title("1"), `${name} 1`);
  }
  assert.deepEqual(one.calls, ["find 1", "words one 1", "find 1"]);
  assert.deepEqual(two.calls, ["find 1", "words two 1", "find 1"]);
  assert.equal(stats().requestCount, 0, "nothing is read in the default space");
  await one.app.close();
  assert.equal(await two.articles.title("1"), "two 1");
  await two.app.close();
});

test("keeps what a decorated method of a provider returns, until it is invalidated", async () => {
  const { app, calls, articles, cacheme } = await application("test");
  assert.deepEqual(await Promise.all([articles.title("1"), articles.title("1")]), ["test 1", "test 1"]);
  assert.deepEqual(calls, ["find 1"]);
  assert.equal((await cacheme.peek(new TitleNode("1")))?.value, "test 1");
  await articles.rename("1", "another");
  assert.equal(await cacheme.peek(new TitleNode("1")), undefined);
  await articles.title("1");
  assert.deepEqual(calls, ["find 1", "rename", "find 1"]);
  await app.close();
});

test("closes the space with the application", async () => {
  const { app, articles, cacheme } = await application("test");
  await articles.find("1");
  await app.close();
  await assert.rejects(cacheme.get(new ArticleNode("1")), { code: "CACHEME_CLOSED" });
});
