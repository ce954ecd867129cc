import { cleanup } from "@cacheme/test-services/network/cleanup";

interface GivenClient {
  disconnect(): void;
  on(event: "error", listener: () => void): unknown;
}

/** {@link cleanup}, also for clients of ioredis that a test gives to a storage. */
export function cleanupWithClients(): ReturnType<typeof cleanup> & {
  /** Disconnects the client after the test, and ignores its error events. */
  given<C extends GivenClient>(client: C): C;
} {
  const { closing, after } = cleanup();
  return {
    closing,
    after,
    given(client) {
      client.on("error", () => {});
      after(() => client.disconnect());
      return client;
    },
  };
}
