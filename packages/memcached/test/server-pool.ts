import { type Server, server } from "@cacheme/test-services";
import type { ComplianceProxy, ComplianceServer } from "@cacheme/testkit";

/**
 * Several servers that live and die together, for tests of a storage that spreads its keys over
 * them.
 */
export class ServerPool implements ComplianceServer {
  readonly servers: readonly Server[];
  readonly url: string;

  private constructor(servers: readonly Server[]) {
    this.servers = servers;
    this.url = poolUrl(servers);
  }

  static async start(count: number): Promise<ServerPool> {
    return new ServerPool(await Promise.all(Array.from({ length: count }, () => server("memcached"))));
  }

  async kill(): Promise<void> {
    await Promise.all(this.servers.map((one) => one.kill()));
  }

  async restart(): Promise<void> {
    await Promise.all(this.servers.map((one) => one.restart()));
  }

  async pause(): Promise<void> {
    await Promise.all(this.servers.map((one) => one.pause()));
  }

  async resume(): Promise<void> {
    await Promise.all(this.servers.map((one) => one.resume()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((one) => one.stop()));
  }

  async proxy(): Promise<ComplianceProxy> {
    const proxies = await Promise.all(this.servers.map((one) => one.proxy()));
    return {
      url: poolUrl(proxies),
      /** The servers are asked at once: what counts is the one that was asked most often. */
      get counts() {
        return { roundTrips: Math.max(...proxies.map(({ counts }) => counts.roundTrips)) };
      },
      get open() {
        return proxies.reduce((sum, { open }) => sum + open, 0);
      },
      resetCounts() {
        for (const proxy of proxies) proxy.resetCounts();
      },
      cut() {
        for (const proxy of proxies) proxy.cut();
      },
      partition() {
        for (const proxy of proxies) proxy.partition();
      },
      refuse: async () => void (await Promise.all(proxies.map((proxy) => proxy.refuse()))),
      heal: async () => void (await Promise.all(proxies.map((proxy) => proxy.heal()))),
      close: async () => void (await Promise.all(proxies.map((proxy) => proxy.close()))),
    };
  }
}

export function poolUrl(servers: readonly { readonly url: string }[]): string {
  return `memcached://${servers.map(({ url }) => new URL(url).host).join(",")}`;
}
