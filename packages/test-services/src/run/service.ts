import { flavourOf, howToGet, type Resolution, resolveServer, resolveService } from "../find/resolve.js";
import { secondTitle } from "../find/second-version.js";
import { openProxy, type ServerProxy } from "../network/proxy.js";
import { catalogue, type ServiceName } from "../services/catalogue.js";
import type { ServiceDefinition } from "../services/service-definition.js";
import type { RunningServer } from "./running-server.js";
import { ServerContainer } from "./server-container.js";
import { ServerProcess } from "./server-process.js";

/**
 * A running server that a test may use. It may be shared with others: use your own keys, never
 * flush it.
 */
export interface Service {
  readonly url: string;
  readonly port: number;
  /**
   * The name of the server: its program (`mongod`), a substitute with its version, a container's
   * image, or the variable.
   */
  readonly flavour: string;
  /** A TCP proxy in front of the server, closed with it. */
  proxy(): Promise<ServerProxy>;
  /** Closes the proxies. Also stops a server of our own, and removes its folder and its port. */
  stop(): Promise<void>;
}

/** The differences from the usual server of a kind. */
export interface ServerOptions {
  /** Further words for the command line, after the usual ones: `["-I", "1m"]` for memcached. */
  readonly arguments?: readonly string[];
}

/** A running server of our own. A test may do anything to it. */
export interface Server extends Service, RunningServer {
  /** Stops the server, closes its proxies, and removes its folder and its port. */
  stop(): Promise<void>;
}

/**
 * Returns a running service: the server in its `*_URL` variable, or a new server of our own.
 *
 * @throws Error if this machine does not have the service; the message says how to get it
 */
export async function service(name: ServiceName): Promise<Service> {
  const resolution = resolveService(name);
  if (resolution.from !== "url") return startServer(name, resolution);
  const url = new URL(resolution.url);
  const port = Number(url.port) || catalogue[name].usualPort;
  const proxies: ServerProxy[] = [];
  return {
    url: resolution.url,
    port,
    flavour: flavourOf(name, resolution),
    proxy: () => opened(proxies, { host: url.hostname, port }, rewrite(resolution.url)),
    stop: () => closeAll(proxies),
  };
}

/**
 * Returns the {@link Service.flavour} of {@link service} without starting anything.
 *
 * @returns `undefined` if this machine does not have the service
 */
export function flavour(name: ServiceName): string | undefined {
  const resolution = resolveService(name);
  return resolution.from === "nowhere" ? undefined : flavourOf(name, resolution);
}

/**
 * Starts a new server of our own, on 127.0.0.1 with its own port and folder. It never outlives this
 * process.
 *
 * @throws Error if this machine does not have the server; the message says how to get it
 */
export function server(name: ServiceName, options: ServerOptions = {}): Promise<Server> {
  return startServer(name, resolveServer(name), options);
}

/**
 * Waits for servers that belong together. If one does not start, the others are stopped.
 *
 * @throws the error of the first server that does not start
 */
export async function allOrNone(starting: readonly Promise<Server>[]): Promise<Server[]> {
  const settled = await Promise.allSettled(starting);
  const running = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failed = settled.find((one) => one.status === "rejected");
  if (failed === undefined) return running;
  await Promise.all(running.map((one) => one.stop()));
  throw failed.reason;
}

/**
 * Starts a server of the same program with its own description.
 *
 * @throws Error if this machine does not have the program
 */
export async function variant(name: ServiceName, definition: ServiceDefinition): Promise<Server> {
  const resolution = resolveServer(name);
  if (resolution.from === "binary") return startServer(name, resolution, {}, definition);
  throw new Error(`${definition.title} runs only as a program. ${howToGet(name)}`);
}

/** Starts the same service in another version, with the usual description. */
export function secondVersion(name: ServiceName, path: string): Promise<Server> {
  const definition = { ...catalogue[name], title: secondTitle(name) ?? catalogue[name].title };
  return startServer(name, { from: "binary", path }, {}, definition);
}

async function startServer(
  name: ServiceName,
  resolution: Resolution,
  options: ServerOptions = {},
  definition: ServiceDefinition = catalogue[name],
): Promise<Server> {
  const started = await start(name, definition, resolution, options);
  const proxies: ServerProxy[] = [];
  return {
    url: started.url,
    port: started.port,
    flavour: flavourOf(name, resolution),
    kill: () => started.kill(),
    restart: () => started.restart(),
    pause: () => started.pause(),
    resume: () => started.resume(),
    proxy: () => opened(proxies, { host: "127.0.0.1", port: started.port }, rewrite(started.url)),
    stop: async () => {
      await closeAll(proxies);
      await started.stop();
    },
  };
}

function start(
  name: ServiceName,
  definition: ServiceDefinition,
  resolution: Resolution,
  options: ServerOptions,
): Promise<RunningServer> {
  switch (resolution.from) {
    case "binary":
      return ServerProcess.start(definition, resolution.path, options.arguments);
    case "substitute":
      return ServerProcess.start(
        { ...definition, ...definition.substitute },
        resolution.path,
        options.arguments,
      );
    case "docker":
      return ServerContainer.start(definition, options.arguments);
    case "url":
      return Promise.reject(new Error(`Tests cannot start the server in ${definition.urlVariable}.`));
    case "nowhere":
      return Promise.reject(new Error(`${resolution.reason} ${howToGet(name)}`));
  }
}

/**
 * Returns a function that puts a proxy's port into the server's address. The user, the password and
 * the database stay.
 */
function rewrite(address: string): (port: number) => string {
  return (port) => {
    const url = new URL(address);
    url.hostname = "127.0.0.1";
    url.port = String(port);
    return url.href;
  };
}

async function opened(
  proxies: ServerProxy[],
  target: { readonly host: string; readonly port: number },
  url: (port: number) => string,
): Promise<ServerProxy> {
  const proxy = await openProxy(target, url);
  proxies.push(proxy);
  return proxy;
}

async function closeAll(proxies: ServerProxy[]): Promise<void> {
  await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
}
