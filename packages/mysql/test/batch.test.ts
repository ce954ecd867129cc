import { describe, expect, it } from "vitest";
import { padded, roomOf, statements } from "../src/batch.js";
import { factsOf } from "../src/server.js";

const itself = (size: number) => size;
const rows = (count: number, size = 10) => Array.from({ length: count }, (_, index) => size + index);

describe("the rows of a statement", () => {
  it("are as many as there are up to 16", () => {
    for (let count = 1; count <= 16; count++) expect(padded(rows(count), itself)).toHaveLength(count);
  });

  it("are padded beyond that to one of few numbers, an eighth more at most, with the smallest row", () => {
    const numbers = new Set<number>();
    for (let count = 17; count <= 4096; count = Math.ceil(count * 1.01)) {
      const filled = padded(rows(count), itself);
      numbers.add(filled.length);
      expect(filled.length).toBeLessThanOrEqual((count * 9) / 8);
      expect(filled.slice(0, count)).toEqual(rows(count));
      expect(new Set(filled.slice(count))).toEqual(new Set(filled.length > count ? [10] : []));
    }
    expect(numbers.size).toBeLessThanOrEqual(64);
    expect(padded(rows(1000), itself)).toHaveLength(1024);
  });
});

describe("a batch", () => {
  const packet = 1024 * 1024;

  it("is one statement if it fits", () => {
    expect(statements(rows(1000), packet, itself)).toEqual([rows(1000)]);
    expect(statements([], packet, itself)).toEqual([]);
  });

  it("is cut after 4,096 rows", () => {
    expect(statements(rows(5000, 1), 2 ** 30, itself).map((part) => part.length)).toEqual([4096, 904]);
  });

  it("is cut so that each padded statement fits into a packet, and nothing is lost", () => {
    for (const size of [100, 5000, 60_000, 400_000, roomOf(packet)]) {
      const batch = Array.from({ length: 300 }, () => size);
      const cut = statements(batch, packet, itself);
      expect(cut.flat()).toEqual(batch);
      for (const part of cut) {
        const bytes = padded(part, itself).reduce((sum, row) => sum + row, 0);
        expect(bytes).toBeLessThanOrEqual(roomOf(packet));
      }
    }
  });
});

describe("a server", () => {
  it.each([
    ["10.11.19-MariaDB-0+deb12u1", "Debian 12", "MariaDB", "10.11.19", true],
    ["5.5.5-10.4.8-MariaDB", "", "MariaDB", "10.4.8", false],
    ["11.4.2-MariaDB", "", "MariaDB", "11.4.2", true],
    ["8.0.36", "MySQL Community Server - GPL", "MySQL", "8.0.36", false],
    ["8.4.0-0ubuntu1", "(Ubuntu)", "MySQL", "8.4.0", false],
    ["8.0.mysql_aurora.3.05.2", "Source distribution", "MySQL", "8.0", false],
  ])("of the version %s (%s) is %s %s", (version, comment, product, number, returns) => {
    expect(factsOf(version, 1024, comment)).toEqual({ product, version: number, packet: 1024, returns });
  });
});
