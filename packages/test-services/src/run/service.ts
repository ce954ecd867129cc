import { flavourOf, howToGet, type Resolution, resolveServer, resolveService } from "../find/resolve.js";
import { secondTitle } from "../find/second-version.js";
import { openProxy, type ServerProxy } from "../network/proxy.js";
import { catalogue, type ServiceName } from "../services/catalogue.js";
import type { ServiceDefinition } from "../services/service-definition.js";
import type { RunningServer } from "./running-server.js";
import { ServerContainer } from "./server-container.js";
import { ServerProcess } from "./server-process.js";

/** A running server that a test may use, but that may be somebody else's: use keys of your own, never flush it. */
export interface Service {
  readonly url: string;
  readonly port: number;
  /** Who serves: the program's name (`mongod`), a substitute's with its version, a container's image, or the variable. */
  readonly flavour: string;
  /** A TCP proxy in front of the server, closed with it. */
  proxy(): Promise<ServerProxy>;
  /** Gives everything back: proxies, and a server of our own with its folder and its port. */
  stop(): Promise<void>;
}

/** What differs from the usual server of a kind. */
export interface ServerOptions {
  /** Words for the command line, behind the usual ones: `["-I", "1m"]` for memcached. */
  readonly arguments?: readonly string[];
}

/** A running server of our own: the test may do to it whatever it likes. */
export interface Server extends Service, RunningServer {
  /** Ends the server, and gives everything back: its proxies, its folder and its port. */
  stop(): Promise<void>;
}

/**
 * A running service: the server in its `*_URL` variable, or a fresh one of our own.
 *
 * @throws Error if the service is not to be had on this machine; the message says how to get it
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
 * Who serves when {@link service} is asked for, as {@link Service.flavour} says it: known without starting anything.
 *
 * @returns `undefined` if the service is not to be had
 */
export function flavour(name: ServiceName): string | undefined {
  const resolution = resolveService(name);
  return resolution.from === "nowhere" ? undefined : flavourOf(name, resolution);
}

/**
 * A fresh server of our own, on 127.0.0.1 with a port and a folder of its own. It never outlives this process.
 *
 * @throws Error if the server is not to be had on this machine; the message says how to get it
 */
export function server(name: ServiceName, options: ServerOptions = {}): Promise<Server> {
  return startServer(name, resolveServer(name), options);
}

/**
 * Servers that belong together: all, or none if one does not start.
 *
 * @throws the first one's error, after the others have been given back
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
 * A server of the same program with a description of its own.
 *
 * @throws Error if the program is not on this machine
 */
export async function variant(name: ServiceName, definition: ServiceDefinition): Promise<Server> {
  const resolution = resolveServer(name);
  if (resolution.from === "binary") return startServer(name, resolution, {}, definition);
  throw new Error(`${definition.title} is run as a program only. ${howToGet(name)}`);
}

/** The program of another version, which is otherwise as the usual one. */
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
      return Promise.reject(new Error(`The server in ${definition.urlVariable} is not ours to start.`));
    case "nowhere":
      return Promise.reject(new Error(`${resolution.reason} ${howToGet(name)}`));
  }
}

/** The address of the server, by way of the proxy. Names, passwords and databases in it stay. */
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
