/**
 * What the workspace must know of a server program to start throw-away copies of it. One file a program, and one line
 * in `catalogue.ts`: see `redis.ts`.
 */
export interface ServiceDefinition {
  /** How messages name it: `Redis`. */
  readonly title: string;
  /** The environment variable that holds the address of a server that is already there: `REDIS_URL`. */
  readonly urlVariable: string;
  /** The port of an address that names none. */
  readonly usualPort: number;
  /** Programs that will do, the best first; the first one on PATH is taken. */
  readonly binaries: readonly string[];
  /** Folders that are searched for {@link binaries} after PATH. */
  readonly folders?: () => readonly string[];
  /** The packages of Debian and Ubuntu that bring the first of {@link binaries}; none where they have none. */
  readonly debianPackages: readonly string[];
  /** How to run it in Docker, where that is possible. */
  readonly container?: ContainerDefinition;
  /** What serves where neither a program nor Docker is there. */
  readonly substitute?: Substitute;
  /** It does not run as root: where the tests do, the server runs as `nobody`. */
  readonly refusesRoot?: boolean;
  /**
   * The commands that fill a folder with what a fresh server begins with, for a server that does not do so by itself in
   * no time. They run once; the folder is kept and copied for each server.
   */
  readonly template?: (binary: string, folder: string) => readonly (readonly [string, ...string[]])[];
  /** Files of its own that a server finds in its folder at its first start: name and text. */
  readonly files?: (place: ServerPlace) => Readonly<Record<string, string>>;
  /** The command line, without the program's name. */
  arguments(place: ServerPlace): readonly string[];
  /** A line for `sh` that removes what a killed server leaves outside its folder. It runs before the folder goes. */
  readonly leftovers?: (folder: string) => string;
  /** The address that a client is given. */
  url(port: number): string;
  /** Whether the server answers. Settles within `milliseconds`; a server that is not there yet is `false`, not an error. */
  ready(port: number, milliseconds: number): Promise<boolean>;
}

/** How to run a server in Docker. */
export interface ContainerDefinition {
  readonly image: string;
  /** The port on which the server listens inside the container. */
  readonly port: number;
  /** Variables that the image asks for. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The program and its words. */
  command(place: ServerPlace): readonly string[];
}

/** Another server that speaks the same protocol, and that comes from elsewhere than the system's packages. */
export interface Substitute {
  /** Its name with its version: `mongo-java-server 1.47.0`. */
  readonly title: string;
  /** The packages of Debian and Ubuntu that bring the programs that fetch it and run it. */
  readonly debianPackages: readonly string[];
  /** The program that runs it, if all that it needs has been fetched. */
  find(): string | undefined;
  /**
   * Brings what it needs into the cache folder, unless it is there already.
   *
   * @returns `undefined` when it is there, else why it is not
   */
  fetch(): string | undefined;
  /** The command line, without the program's name. */
  arguments(place: ServerPlace): readonly string[];
}

/** Where one server may live. */
export interface ServerPlace {
  /** The address to listen on: 127.0.0.1, or every address of its own inside a container. */
  readonly host: string;
  readonly port: number;
  /** A folder of its own, on a memory file system where there is one; empty, or as the template has it. */
  readonly folder: string;
}
