/**
 * The description of a server program, from which test servers are started. Each has its own file
 * and a line in `catalogue.ts`: see `redis.ts`.
 */
export interface ServiceDefinition {
  /** The name for messages: `Redis`. */
  readonly title: string;
  /** The environment variable with the address of an existing server: `REDIS_URL`. */
  readonly urlVariable: string;
  /** The port of an address without a port. */
  readonly usualPort: number;
  /** The names of the program, the best first. The first one on PATH is used. */
  readonly binaries: readonly string[];
  /** Folders that are searched for {@link binaries} after PATH. */
  readonly folders?: () => readonly string[];
  /**
   * The packages of Debian and Ubuntu with the first of {@link binaries}; empty if there are none.
   */
  readonly debianPackages: readonly string[];
  /** The way to run the server in Docker, if that is possible. */
  readonly container?: ContainerDefinition;
  /** The server to use without a program and without Docker. */
  readonly substitute?: Substitute;
  /** Whether the program refuses root. It then runs as `nobody` if the tests run as root. */
  readonly refusesRoot?: boolean;
  /**
   * The commands that fill a folder with the data of a fresh server, for a server that takes long
   * to do so. They run once; each server gets a copy of the folder.
   */
  readonly template?: (binary: string, folder: string) => readonly (readonly [string, ...string[]])[];
  /** Further files in the server's folder at its first start: names and contents. */
  readonly files?: (place: ServerPlace) => Readonly<Record<string, string>>;
  /** Returns the command line, without the program's name. */
  arguments(place: ServerPlace): readonly string[];
  /**
   * Returns a line for `sh` that removes the remains of a killed server outside its folder. It runs
   * before the folder is removed.
   */
  readonly leftovers?: (folder: string) => string;
  /** Returns the address for clients. */
  url(port: number): string;
  /**
   * Returns whether the server answers, within `milliseconds`. A server that does not listen yet is
   * `false`, not an error.
   */
  ready(port: number, milliseconds: number): Promise<boolean>;
}

/** A server's image and settings for Docker. */
export interface ContainerDefinition {
  readonly image: string;
  /** The server's port inside the container. */
  readonly port: number;
  /** Environment variables for the image. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Returns the program and its arguments. */
  command(place: ServerPlace): readonly string[];
}

/** Another server with the same protocol, which does not come from the system's packages. */
export interface Substitute {
  /** The name with the version: `mongo-java-server 1.47.0`. */
  readonly title: string;
  /** The packages of Debian and Ubuntu with the programs that fetch and run the server. */
  readonly debianPackages: readonly string[];
  /** Returns the program that runs the server, if everything has been fetched. */
  find(): string | undefined;
  /**
   * Fetches the server's files into the cache folder, if they are not there yet.
   *
   * @returns `undefined` if the files are there, else the reason
   */
  fetch(): string | undefined;
  /** The command line, without the program's name. */
  arguments(place: ServerPlace): readonly string[];
}

/** The address and the folder of one server. */
export interface ServerPlace {
  /** The address to listen on: 127.0.0.1, or all addresses of a container. */
  readonly host: string;
  readonly port: number;
  /**
   * The server's own folder, on a file system in memory if there is one. It is empty or a copy of
   * the template.
   */
  readonly folder: string;
}
