/** The address of one server. */
export interface ServerPlace {
  readonly host: string;
  readonly port: number;
}

/** The parts of an address, percent-decoded. */
export interface Address {
  /** In lower case, such as `redis+cluster`. */
  readonly scheme: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /**
   * The servers in order; empty for an address such as `redis:///0`. The port is `undefined` if it
   * is left out.
   */
  readonly servers: readonly { readonly host: string; readonly port: number | undefined }[];
  /** The words between the slashes after the servers. */
  readonly path: readonly string[];
  readonly parameters: URLSearchParams;
}

const addressForm =
  /^(?<scheme>[a-z][a-z0-9+.-]*):\/\/(?:(?<account>[^/?#]*)@)?(?<servers>[^@/?#]*)(?:\/(?<path>[^?#]*))?(?:\?(?<parameters>[^#]*))?$/i;

/** The form of a server: a name, an IPv4 address, or an IPv6 address in brackets. */
const serverForm = /^(?:\[(?<bracketed>[0-9a-f:.]+)\]|(?<plain>[^:[\]\s]+))(?::(?<port>\d{1,5}))?$/i;

/**
 * Reads an address of one server or of several:
 * `scheme://user:password@host:port,host:port/path?name=value`. `URL` reads no list of servers. For
 * authors of storages.
 *
 * @returns `undefined` if the string is not an address. Never put the string into a message,
 *   because it may hold a password.
 *
 * @example
 * ```ts
 * parseAddress("memcached://one:11211,two")?.servers; // [{ host: "one", port: 11211 }, { host: "two", port: undefined }]
 * ```
 */
export function parseAddress(text: string): Address | undefined {
  const { scheme, account, servers = "", path = "", parameters } = addressForm.exec(text)?.groups ?? {};
  if (scheme === undefined) return undefined;
  try {
    const [username = "", ...rest] = account?.split(":") ?? [];
    return {
      scheme: scheme.toLowerCase(),
      username: username === "" ? undefined : decodeURIComponent(username),
      password: rest.length === 0 ? undefined : decodeURIComponent(rest.join(":")),
      servers: servers === "" ? [] : servers.split(",").map(serverIn),
      path: path.split("/").filter(Boolean).map(decodeURIComponent),
      parameters: new URLSearchParams(parameters),
    };
  } catch {
    return undefined;
  }
}

/**
 * Returns `host:port` for messages and labels, with an IPv6 address in brackets. For authors of
 * storages.
 */
export function serverName({ host, port }: ServerPlace): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function serverIn(text: string): { readonly host: string; readonly port: number | undefined } {
  const { bracketed, plain, port } = serverForm.exec(text)?.groups ?? {};
  const host = bracketed ?? plain;
  const isPort = port === undefined || (Number(port) > 0 && Number(port) < 65_536);
  if (host === undefined || !isPort) throw new RangeError("no server");
  return { host: decodeURIComponent(host), port: port === undefined ? undefined : Number(port) };
}
