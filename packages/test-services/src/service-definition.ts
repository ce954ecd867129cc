/**
 * What the workspace must know of a server program to start throw-away copies of it. One file a program, and one line
 * in `catalogue.ts`: see `redis.ts`.
 */
export interface ServiceDefinition {
  /** How messages name it: `Redis`. */
  readonly title: string;
  /** The environment variable that holds the address of a server that is already there: `REDIS_URL`. */
  readonly urlVariable: string;
  /** Programs that will do, the best first; the first one on PATH is taken. */
  readonly binaries: readonly string[];
  /** The package of Debian and Ubuntu that brings the first of {@link binaries}. */
  readonly debianPackage: string;
  /** The image for Docker, and the port on which its server listens inside the container. */
  readonly image: string;
  readonly containerPort: number;
  /** The command line, without the program's name. */
  arguments(place: ServerPlace): readonly string[];
  /** The address that a client is given. */
  url(port: number): string;
  /** Whether the server answers. Settles within `milliseconds`; a server that is not there yet is `false`, not an error. */
  ready(port: number, milliseconds: number): Promise<boolean>;
}

/** Where one server may live. */
interface ServerPlace {
  /** The address to listen on: 127.0.0.1, or every address of its own inside a container. */
  readonly host: string;
  readonly port: number;
  /** An empty folder of its own, on a memory file system where there is one. */
  readonly folder: string;
}
