import type { DriverErrors } from "cacheme/driver";

/** The remedy for each error of the server. GLIDE changes the first word of some errors. */
const remedies: readonly (readonly [words: RegExp, remedy: string])[] = [
  [/NOAUTH|WRONGPASS|AuthenticationFailed/, "Check the name and the password."],
  [/NOPERM|PermissionDenied/, "Allow the user these commands and keys: ACL SETUSER."],
  [/READONLY|ReadOnly/, "The server is a replica that takes no writes: give the address of the primary."],
  [
    /MOVED|Moved|CROSSSLOT|CrossSlot/,
    'The server is a node of a cluster: write "glide+cluster://host:port".',
  ],
  [/OOM/, "Raise maxmemory, or let the server evict keys (maxmemory-policy)."],
];

/** Errors of a server that is full, busy, or being replaced. They say nothing about its kind. */
export const passing: RegExp =
  /OOM|MISCONF|LOADING|Loading|BUSY|CLUSTERDOWN|ClusterDown|TRYAGAIN|TryAgain|MASTERDOWN|MasterDown|NOREPLICAS|(?:NOPERM|PermissionDenied).*\bkeys?\b/;

/** The codes of the system's errors. */
const codes: readonly (readonly [words: RegExp, code: string])[] = [
  [/Connection refused/, "ECONNREFUSED"],
  [/lookup|not known/, "ENOTFOUND"],
  [/timed out/, "ETIMEDOUT"],
  [/reset by peer|Broken pipe|end of file|channel closed/, "ECONNRESET"],
];

function remedyFor({ message }: Error): string | undefined {
  return remedies.find(([words]) => words.test(message))?.[1];
}

function isAnswer(error: Error): boolean {
  return remedyFor(error) !== undefined || /signalled by the server/.test(error.message);
}

export const errors: DriverErrors = {
  isAnswer,
  remedyFor,
  advice: (error) =>
    remedyFor(error) ??
    (/timed out/.test(error.message) ? "Raise the requestTimeout of your client of GLIDE." : undefined) ??
    (isAnswer(error) ? "The server refused the command." : "The storage reconnects by itself."),
  /** Gives an error of the system its code, and removes the line end that GLIDE puts behind it. */
  clean(error) {
    const message = error.message.trim();
    const code = isAnswer(error) ? undefined : codes.find(([words]) => words.test(message))?.[1];
    return Object.assign(new Error(message, { cause: error }), code !== undefined && { code });
  },
};
