import {
  type ConfigurationError,
  type ConnectionOptions,
  type ConnectionSettings,
  connectionSettings,
  type Duration,
  isError,
  optionError,
  refuseUnknownOptions,
  shown,
  timerMilliseconds,
} from "cacheme/driver";
import { MongoClient, type MongoClientOptions } from "mongodb";
import type { ConnectionTarget } from "./client.js";
import type { MongodbClient, MongodbCollection, MongodbDatabase } from "./driver.js";

/** How the storage behaves. Everything has a default. */
export interface MongodbStorageOptions extends ConnectionOptions {
  /** The database. Default: the one in the address, else `test`, as everywhere in MongoDB. */
  readonly database?: string | undefined;
  /** The collection, which the storage has for itself. It is made by the first write. Default `"cacheme"`. */
  readonly collection?: string | undefined;
  /**
   * How often to look for expired documents that the server's own TTL index has left, and to remove them. Default `"1m"`.
   */
  readonly sweepInterval?: Duration | undefined;
}

/** The options of the driver that are the storage's own business. */
type Managed =
  | "connectTimeoutMS"
  | "serverSelectionTimeoutMS"
  | "socketTimeoutMS"
  | "timeoutMS"
  | "waitQueueTimeoutMS";

const timeouts = "give commandTimeout and connectTimeout as options of the storage";

/** Why they are, or what to use in their place. */
const managed: Readonly<Record<Managed, string>> = {
  connectTimeoutMS: timeouts,
  serverSelectionTimeoutMS: timeouts,
  socketTimeoutMS: timeouts,
  timeoutMS: timeouts,
  waitQueueTimeoutMS: timeouts,
};

/** Where the server is, with the options of the driver less those that the storage decides. */
export interface MongodbConnectionOptions extends Omit<MongoClientOptions, Managed> {
  /** `"10.0.0.7:27017"`, or several of a replica set or of a sharded cluster. */
  readonly hosts: string | readonly string[];
}

/** Options that were checked. */
export interface Settings extends ConnectionSettings, ConnectionTarget {
  /** `mongodb://host:port/database.collection`, without name and password. */
  readonly label: string;
  /** Milliseconds. */
  readonly sweepInterval: number;
}

const where = "mongodb()";

const known: Readonly<Record<keyof MongodbStorageOptions, true>> = {
  collection: true,
  commandTimeout: true,
  connect: true,
  connectTimeout: true,
  database: true,
  sweepInterval: true,
};

/**
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for an address or an option that cannot be meant,
 *   `CACHEME_INVALID_DURATION` for a timeout that is no duration
 */
export function settings(
  target: string | MongodbConnectionOptions | MongodbClient | MongodbDatabase,
  options: MongodbStorageOptions,
): Settings {
  refuseUnknownOptions(options, Object.keys(known), where);
  const common = {
    ...connectionSettings(options, where),
    sweepInterval: timerMilliseconds(options.sweepInterval ?? "1m", `option sweepInterval of ${where}`),
  };
  const name = collectionName(options.collection ?? "cacheme");
  const database = options.database === undefined ? undefined : databaseName(options.database);
  if (isDatabase(target)) {
    if (database !== undefined) {
      throw optionError(`${where} was given a Db and the option database. Give one of the two.`);
    }
    const place = { database: target, collection: collectionIn(target, name) };
    const label = `mongodb:${target.databaseName}.${name}`;
    return { ...common, label, make: undefined, find: () => place, given: place };
  }
  const find: ConnectionTarget["find"] = (client) => {
    const found = client.db(database);
    return { database: found, collection: collectionIn(found, name), connect: () => client.connect() };
  };
  if (isClient(target)) {
    const given = find(target);
    const label = labelOf(target, given.database.databaseName, name);
    return { ...common, label, make: undefined, find, given };
  }
  const make = maker(target, common);
  // Nothing connects before it is asked something, so this only checks what was given.
  const client = make();
  databaseName(client.options.dbName);
  find(client);
  const label = labelOf(client, database ?? client.options.dbName, name);
  return { ...common, label, make, find, given: undefined };
}

/**
 * Reads go to the primary whatever the client prefers: a secondary may not have heard of a removal, a lease or a generation
 * yet. And what the server does not answer nobody knows to be done.
 */
function collectionIn(database: MongodbDatabase, name: string): MongodbCollection {
  const collection = database.collection(name, { readPreference: "primary" });
  if (collection.writeConcern?.w !== 0) return collection;
  throw optionError(
    `${where} was given the write concern 0, with which the server says nothing of a write or a removal. ` +
      "Leave w out, or give 1 or more.",
  );
}

/** What makes clients of our own. */
function maker(
  target: string | MongodbConnectionOptions,
  { commandTimeout, connectTimeout }: ConnectionSettings,
): () => MongoClient {
  const [url, theirs] = typeof target === "string" ? [target, {}] : fromOptions(target);
  if (!/^mongodb(\+srv)?:\/\//i.test(url)) throw notAnAddress();
  const ours: MongoClientOptions = {
    connectTimeoutMS: connectTimeout,
    // A little less than what an attempt has, so that its error says why no server is to be had.
    serverSelectionTimeoutMS: Math.ceil(connectTimeout * 0.9),
    waitQueueTimeoutMS: commandTimeout,
    // The last resort: a call that is given up closes its socket by itself.
    socketTimeoutMS: commandTimeout + 1000,
  };
  return () => {
    try {
      return new MongoClient(url, { appName: "cacheme", ...theirs, ...ours });
    } catch (error) {
      throw refusedByDriver(error);
    }
  };
}

function fromOptions(options: MongodbConnectionOptions): [string, MongoClientOptions] {
  if (typeof options !== "object" || options === null) {
    throw optionError(
      `${where} was given ${shown(options)}. Give an address, options, a MongoClient or a Db.`,
    );
  }
  const { hosts, ...rest } = options;
  for (const [name, instead] of Object.entries(managed)) {
    if (name in rest)
      throw optionError(`${where} does not take the option ${name} of the driver: ${instead}.`);
  }
  const list = typeof hosts === "string" ? [hosts] : hosts;
  const fits = Array.isArray(list) && list.length > 0 && list.every((host) => /^[^/@,\s?#]+$/.test(host));
  if (!fits)
    throw optionError(
      `The option hosts of ${where} is not one. Give "host:27017", or an array of such texts.`,
    );
  return [`mongodb://${list.join(",")}/`, rest];
}

/** The driver's words name an option; those about an address may repeat it with its password, and stay out. */
function refusedByDriver(error: unknown): ConfigurationError {
  const words = isError(error) ? error.message : "";
  if (/^(options? .+ (is|are) not supported)$/.test(words) && !words.includes("://")) {
    return optionError(`${where} was given options that the driver does not know: ${words}.`);
  }
  return notAnAddress();
}

function notAnAddress(): ConfigurationError {
  // The text itself stays out of the message: it may hold a password.
  return optionError(
    `${where} was given an address or options that the driver mongodb does not take. ` +
      'Write "mongodb://host:27017/database", or "mongodb+srv://host/database"; percent-encode special characters in ' +
      "names and passwords.",
  );
}

function isClient(target: object | string): target is MongodbClient {
  return typeof target === "object" && target !== null && "db" in target && typeof target.db === "function";
}

function isDatabase(target: object | string): target is MongodbDatabase {
  return typeof target === "object" && target !== null && "databaseName" in target && "command" in target;
}

function labelOf({ options }: MongodbClient, database: string, collection: string): string {
  const hosts = options?.srvHost ?? options?.hosts?.map(String).join(",") ?? "";
  const scheme = options?.srvHost === undefined ? "mongodb" : "mongodb+srv";
  return `${scheme}://${hosts}/${database}.${collection}`;
}

/** Narrower than MongoDB's own rule, and the same on every system that a server may run on. */
function databaseName(name: string): string {
  if (typeof name === "string" && /^[A-Za-z0-9_-]{1,63}$/.test(name)) return name;
  throw optionError(
    `The database of ${where} is ${shown(name)}. Give a name of letters, digits, "_" and "-", at most 63 of them.`,
  );
}

function collectionName(name: string): string {
  const fits = typeof name === "string" && /^[A-Za-z_][A-Za-z0-9_.-]{0,119}$/.test(name);
  if (fits && !name.startsWith("system.")) return name;
  throw optionError(
    `The option collection of ${where} is ${shown(name)}. Give a name that begins with a letter or "_", then letters, ` +
      'digits, "_", "-" and ".", at most 120 of them, and not "system." first.',
  );
}
