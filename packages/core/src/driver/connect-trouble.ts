import { asError, isAggregate, isError, reasonOf, StorageError } from "../errors.js";

/** The reason why a storage could not be opened. */
type Trouble = "unreached" | "silent" | "cutOff" | "refused" | "unknown";

/** The advice for each trouble, a sentence. */
export interface ConnectAdvice {
  /** The storage's name in messages, without a password. */
  readonly label: string;
  /** Advice if no server answered. Default: to check the server and its address. */
  readonly connectAdvice?: string | ((error: Error) => string) | undefined;
  /**
   * Returns whether the error has the server's own words, and not the system's or the client's.
   * Default: unknown.
   */
  isAnswer?(error: Error): boolean;
  /**
   * Returns advice if the server answered with an error. Default: to check the account and the
   * listening server.
   */
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

/** Codes of a connection that the other end accepted and closed. */
const cutOffCodes: ReadonlySet<string> = new Set([
  ...["ECONNRESET", "ECONNABORTED", "EPIPE", "PROTOCOL_CONNECTION_LOST"],
]);

/** Node.js's codes for certificates and versions of TLS that are not accepted. */
const tlsCodes = /^(ERR_SSL|ERR_TLS|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/;

/** The deepest cause of a cause that is searched. */
const deepestCause = 8;

/**
 * Returns the error of a storage that could not be opened. It says whether the server was reached.
 * For authors of storages.
 *
 * A server that answered with an error, or with a certificate that is not trusted, gives
 * `CACHEME_CONNECT_REFUSED`. All else gives `CACHEME_CONNECT_FAILED`: no server answered, or it
 * closed the connection.
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
 * Returns the error of a server that was reached but does not let the storage work:
 * `CACHEME_CONNECT_REFUSED`. For authors of storages.
 *
 * @param why the server's words, or its fault
 * @param remedy a sentence
 */
export function refusedConnection(label: string, why: string, remedy: string, cause?: unknown): StorageError {
  const message = `${label} was reached, but cannot be used: ${why}. ${remedy}`;
  return new StorageError("CACHEME_CONNECT_REFUSED", message, { cause });
}

/**
 * Returns the error of a server that is too old, or of another kind: `CACHEME_UNSUPPORTED_SERVER`.
 * For authors of storages.
 *
 * @param found the product and its version, such as `MySQL 5.7.44`
 * @param needs the servers that the storage needs, such as `MySQL 8.0.13 or newer`
 * @param why the call that failed, if the version alone does not say it
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

/** The words of clients whose error of a closed connection has no code. */
const lostWords = /\bconnection (is |was )?(closed|ended|lost|reset|terminated)\b/i;

/**
 * Returns whether an error says that the connection was lost, or that there is none. It says
 * nothing about the server's kind.
 */
export function isLostConnection(error: Error): boolean {
  const trouble = troubleOf(error, { label: "" });
  return (
    trouble === "unreached" ||
    trouble === "cutOff" ||
    (trouble === "unknown" && lostWords.test(error.message))
  );
}

/** Returns the error of a server that was silent for so many milliseconds, reached or not. */
export function noAnswer(milliseconds: number): Error {
  return Object.assign(new Error(`no answer within ${milliseconds} ms`), { code: "ETIMEDOUT" });
}

/**
 * Returns the error of a connection that the other end closed, for clients whose own error has no
 * code.
 */
export function cutOff(message: string): Error {
  return Object.assign(new Error(message), { code: "ECONNRESET" });
}

/**
 * Returns the server's or the system's own words. A host name with several addresses has an error
 * for each, and none of its own.
 */
export function words(error: Error): string {
  const each = isAggregate(error) ? error.errors.map((one) => words(asError(one))) : [];
  return (each.join("; ") || reasonOf(error) || error.name).replace(/\.$/, "");
}

/**
 * Returns the trouble. Drivers wrap the system's error, so the first known one in the chain of
 * causes decides.
 */
function troubleOf(error: Error, advice: ConnectAdvice): Trouble {
  let one: unknown = error;
  for (let depth = 0; depth < deepestCause && isError(one); depth++) {
    if (isAggregate(one) && one.errors.length > 0) return troubleOfAll(one.errors, advice);
    const code = String("code" in one ? one.code : "");
    const isOfConnecting = "syscall" in one && /^(connect|getaddrinfo|query)/.test(String(one.syscall));
    // A timeout of our own does not say where the server's silence comes from.
    if (code === "ETIMEDOUT" && !isOfConnecting) return "silent";
    if (unreachedCodes.has(code) || isOfConnecting) return "unreached";
    if (cutOffCodes.has(code)) return "cutOff";
    if (tlsCodes.test(code) || advice.isAnswer?.(one) === true) return "refused";
    one = one.cause;
  }
  return "unknown";
}

/** Prefers an address that answered, which says more than those that did not. */
function troubleOfAll(errors: readonly unknown[], advice: ConnectAdvice): Trouble {
  const troubles = errors.map((one) => troubleOf(asError(one), advice));
  return (
    (["refused", "cutOff", "silent", "unreached"] as const).find((one) => troubles.includes(one)) ?? "unknown"
  );
}
