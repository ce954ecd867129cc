import * as kit from "cacheme/driver";
import { MongoClient, type MongoClientOptions } from "mongodb";
import type { ConnectionTarget } from "./client.js";
import type { MongodbClient, MongodbCollection, MongodbDatabase } from "./client-types.js";

/** How the storage behaves. Everything has a default. */
export interface MongodbStorageOptions extends kit.ConnectionOptions, Pick<kit.TableOptions, "maxSize"> {
  /** The database. Default: the one in the address, else `test`, as everywhere in MongoDB. */
  readonly database?: string | undefined;
  /** The storage's own collection, which the first write makes. Default `"cacheme"`. */
  readonly collection?: string | undefined;
  /** Time between two removals of what the server's own TTL index has left. Default `"1m"`. */
  readonly sweepInterval?: kit.Duration | undefined;
}

/** The timeouts of the package mongodb, which the storage's own options replace. */
type Managed = `${"connect" | "serverSelection" | "socket" | "waitQueue"}TimeoutMS` | "timeoutMS";
const managed = /^((connect|serverSelection|socket|waitQueue)T|t)imeoutMS$/;

/** The server, with the options of the package mongodb except those that the storage decides. */
export interface MongodbConnectionOptions extends Omit<MongoClientOptions, Managed> {
  /** `"10.0.0.7:27017"`, or several of a replica set or of a sharded cluster. */
  readonly hosts: string | readonly string[];
}

/**
 * Options that were checked. The label is `mongodb://host:port/database.collection`, without
 * username and password.
 */
export interface Settings extends kit.DriverSettings, ConnectionTarget {
  readonly maxSize: number | undefined;
  readonly sweepInterval: number;
}

const where = "mongodb()";

/** Narrower than MongoDB's own rule, and the same on every system that a server may run on. */
const databaseOption = kit.optionKind(
  'a name of letters, digits, "_" and "-", at most 63 of them',
  (value): value is string => typeof value === "string" && /^[A-Za-z0-9_-]{1,63}$/.test(value),
);

const collectionOption = kit.optionKind(
  'a name that begins with a letter or "_", then letters, digits, "_", "-" and ".", at most 120 of them, and not ' +
    '"system." first',
  (value): value is string =>
    typeof value === "string" && /^(?!system\.)[A-Za-z_][A-Za-z0-9_.-]{0,119}$/.test(value),
);

const optionTable = new kit.OptionTable(where, {
  ...kit.connectionRows,
  collection: { kind: collectionOption, default: "cacheme" },
  database: { kind: databaseOption },
  maxSize: kit.tableRows.maxSize,
  sweepInterval: kit.tableRows.sweepInterval,
});

/** @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION` */
export function settings(
  target: string | MongodbConnectionOptions | MongodbClient | MongodbDatabase,
  options: MongodbStorageOptions,
): Settings {
  const { collection: name, database, ...common } = optionTable.check(options);
  if (isDatabase(target)) {
    if (database !== undefined) {
      throw kit.optionError(`${where} was given a Db and the option database. Give one of the two.`);
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
  const make = clientMaker(target, common);
  // A client connects with its first command, so this one only checks the options.
  const client = make();
  databaseOption.check(client.options.dbName, { name: "database", where });
  find(client);
  const label = labelOf(client, database ?? client.options.dbName, name);
  return { ...common, label, make, find, given: undefined };
}

/**
 * Finds the collection, with reads from the primary whatever the client prefers, because a
 * secondary may not have a removal, a lease or a generation yet. Refuses writes that the server
 * does not acknowledge.
 */
function collectionIn(database: MongodbDatabase, name: string): MongodbCollection {
  const collection = database.collection(name, { readPreference: "primary" });
  if (collection.writeConcern?.w !== 0) return collection;
  throw kit.optionError(
    `${where} was given the write concern 0, with which the server says nothing of a write or a removal. ` +
      "Leave w out, or give 1 or more.",
  );
}

/** Returns a function that makes clients of our own. */
function clientMaker(
  target: string | MongodbConnectionOptions,
  { commandTimeout, connectTimeout }: kit.ConnectionSettings,
): () => MongoClient {
  const [url, theirs] = typeof target === "string" ? [target, {}] : fromOptions(target);
  if (!/^mongodb(\+srv)?:\/\//i.test(url)) throw notAnAddress();
  const ours: MongoClientOptions = {
    connectTimeoutMS: connectTimeout,
    // A little less than an attempt has, so that the error says why there is no server.
    serverSelectionTimeoutMS: Math.ceil(connectTimeout * 0.9),
    waitQueueTimeoutMS: commandTimeout,
    // The last resort, because a call closes its socket at its deadline.
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
    throw kit.optionError(
      `${where} was given ${kit.shown(options)}. Give an address, options, a MongoClient or a Db.`,
    );
  }
  const { hosts, ...rest } = options;
  const refused = Object.keys(rest).find((name) => managed.test(name));
  if (refused !== undefined) {
    throw kit.optionError(
      `${where} does not take the option ${refused} of the package mongodb. Give commandTimeout and connectTimeout as ` +
        "options of the storage.",
    );
  }
  const list = typeof hosts === "string" ? [hosts] : hosts;
  if (Array.isArray(list) && list.length > 0 && list.every((host) => /^[^/@,\s?#]+$/.test(host))) {
    return [`mongodb://${list.join(",")}/`, rest];
  }
  throw kit.optionError(
    `The option hosts of ${where} is not one. Give "host:27017", or an array of strings.`,
  );
}

/** Repeats what the package says of an option, but not of an address with its password. */
function refusedByDriver(error: unknown): kit.ConfigurationError {
  const words = kit.isError(error) ? error.message : "";
  if (/^(options? .+ (is|are) not supported)$/.test(words) && !words.includes("://")) {
    return kit.optionError(`${where} was given options that the driver does not know: ${words}.`);
  }
  return notAnAddress();
}

function notAnAddress(): kit.ConfigurationError {
  // The text itself stays out of the message: it may hold a password.
  return kit.optionError(
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
