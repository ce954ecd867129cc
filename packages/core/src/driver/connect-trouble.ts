import { asError, isAggregate, isError, reasonOf, StorageError } from "../errors.js";

/** Why a storage could not be opened. */
type Trouble = "unreached" | "silent" | "cutOff" | "refused" | "unknown";

/** What to do about each trouble, a sentence. */
export interface ConnectAdvice {
  /** The storage's name in messages, without a password. */
  readonly label: string;
  /** Advice if nothing answered. Default: to check the server and its address. */
  readonly connectAdvice?: string | ((error: Error) => string) | undefined;
  /** Whether these are words of the server, and not of the system or the client. Default: nobody knows. */
  isAnswer?(error: Error): boolean;
  /** Advice if the server answered with an error. Default: to check the account and what listens there. */
  refusalAdvice?(error: Error): string | undefined;
}

const advices: Readonly<Record<Trouble, string>> = {
  unreached: "Check that the server runs and that its address is right.",
  silent:
    "Check that the server runs and is not busy, its address, and that a server of the right kind listens there.",
  unknown: "Check that the server runs, its address, and the account.",
  cutOff:
    "Check that a server of the right kind listens there, and that TLS is on for both sides or for neither.",
  refused:
    "Check the account, its password and permissions, and that a server of the right kind listens there.",
};

/** System errors of an attempt that no server answered. */
const unreachedCodes: ReadonlySet<string> = new Set([
  ...["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EAI_FAIL", "EAI_NODATA", "ETIMEDOUT", "ESOCKETTIMEDOUT"],
  ...["EHOSTUNREACH", "EHOSTDOWN", "ENETUNREACH", "ENETDOWN", "EADDRNOTAVAIL"],
]);

/** The other end accepted the connection and closed it. */
const cutOffCodes: ReadonlySet<string> = new Set([
  ...["ECONNRESET", "ECONNABORTED", "EPIPE", "PROTOCOL_CONNECTION_LOST"],
]);

/** Node.js names certificates and versions of TLS that are not accepted so. */
const tlsCodes = /^(ERR_SSL|ERR_TLS|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/;

/** Causes of causes that are looked at. */
const deepestCause = 8;

/**
 * The error of a storage that could not be opened: it says whether the server was reached. For authors of storages.
 *
 * A server that answered with an error, or with a certificate that is not trusted, gives `CACHEME_CONNECT_REFUSED`. All
 * else gives `CACHEME_CONNECT_FAILED`: no server answered, or it closed the connection.
 */
export function connectError(error: Error, advice: ConnectAdvice): StorageError {
  const { label } = advice;
  const connectAdvice =
    typeof advice.connectAdvice === "function" ? advice.connectAdvice(error) : advice.connectAdvice;
  const failed = (what: string, remedy: string): StorageError =>
    new StorageError("CACHEME_CONNECT_FAILED", `${label} ${what}: ${words(error)}. ${remedy}`, {
      cause: error,
    });
  switch (troubleOf(error, advice)) {
    case "unreached":
      return failed("cannot be reached", connectAdvice ?? advices.unreached);
    case "silent":
      return failed("did not answer", connectAdvice ?? advices.silent);
    case "cutOff":
      return failed("was reached, but closed the connection", advices.cutOff);
    case "unknown":
      return failed("could not be opened", connectAdvice ?? advices.unknown);
    case "refused":
      return refusedConnection(label, words(error), advice.refusalAdvice?.(error) ?? advices.refused, error);
  }
}

/**
 * The error of a server that was reached and does not let the storage work: `CACHEME_CONNECT_REFUSED`. For authors of
 * storages.
 *
 * @param why the server's words, or what is wrong with it
 * @param remedy a sentence
 */
export function refusedConnection(label: string, why: string, remedy: string, cause?: unknown): StorageError {
  const message = `${label} was reached, but cannot be used: ${why}. ${remedy}`;
  return new StorageError("CACHEME_CONNECT_REFUSED", message, { cause });
}

/**
 * The error of a server that is too old, or of another kind: `CACHEME_UNSUPPORTED_SERVER`. For authors of storages.
 *
 * @param found the product and its version, such as `MySQL 5.7.44`
 * @param needs what the storage needs, such as `MySQL 8.0.13 or newer`
 * @param why what failed, if the version alone does not say it
 */
export function unsupportedServer(
  label: string,
  found: string,
  needs: string,
  { why, cause }: { readonly why?: string | undefined; readonly cause?: unknown } = {},
): StorageError {
  const reason = why === undefined ? "" : `, where ${why}`;
  const message = `${label} cannot be used: found ${found}${reason}. The storage needs ${needs}.`;
  return new StorageError("CACHEME_UNSUPPORTED_SERVER", message, { cause });
}

/** The error of a server that was silent for so many milliseconds, whether it was reached or not. */
export function noAnswer(milliseconds: number): Error {
  return Object.assign(new Error(`no answer within ${milliseconds} ms`), { code: "ETIMEDOUT" });
}

/** The error of a connection that the other end closed, for clients whose own error has no code. */
export function cutOff(message: string): Error {
  return Object.assign(new Error(message), { code: "ECONNRESET" });
}

/** The server's or the system's own words. A name with several addresses has an error for each, and none of its own. */
export function words(error: Error): string {
  const each = isAggregate(error) ? error.errors.map((one) => words(asError(one))) : [];
  return (each.join("; ") || reasonOf(error) || error.name).replace(/\.$/, "");
}

/** Drivers wrap the system's error: the first one in the chain of causes that tells decides. */
function troubleOf(error: Error, advice: ConnectAdvice): Trouble {
  let one: unknown = error;
  for (let depth = 0; depth < deepestCause && isError(one); depth++) {
    if (isAggregate(one) && one.errors.length > 0) return troubleOfAll(one.errors, advice);
    const code = String("code" in one ? one.code : "");
    const isOfConnecting = "syscall" in one && /^(connect|getaddrinfo|query)/.test(String(one.syscall));
    // A time of our own that has passed tells nothing of where the server's silence comes from.
    if (code === "ETIMEDOUT" && !isOfConnecting) return "silent";
    if (unreachedCodes.has(code) || isOfConnecting) return "unreached";
    if (cutOffCodes.has(code)) return "cutOff";
    if (tlsCodes.test(code) || advice.isAnswer?.(one) === true) return "refused";
    one = one.cause;
  }
  return "unknown";
}

/** Of several addresses, one that answered tells more than those that did not. */
function troubleOfAll(errors: readonly unknown[], advice: ConnectAdvice): Trouble {
  const troubles = errors.map((one) => troubleOf(asError(one), advice));
  return (
    (["refused", "cutOff", "silent", "unreached"] as const).find((one) => troubles.includes(one)) ?? "unknown"
  );
}
