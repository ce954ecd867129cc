import { isThenable } from "../node/thenable.js";
import { optionError, refuseUnknownOptions, shown } from "../option-checks.js";
import { sharedState } from "../shared-state.js";
import { openRequest, Request } from "./request.js";

/** The object whose event `close` is the end of a request, such as the response of a Node server. */
export interface RequestEnd {
  once(event: "close", listener: () => void): unknown;
  /** Whether the event has been emitted. */
  readonly closed?: boolean | undefined;
}

/** The options of `requestScope`. */
export interface RequestScopeOptions {
  /**
   * Ends the request by its event `close`, for servers whose middleware calls the next function and
   * returns. Default: the request ends with the function, or with the promise that it returns.
   */
  readonly until?: RequestEnd | undefined;
}

/**
 * Runs the function as one request.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION`
 */
export function requestScope(body: () => unknown, options: RequestScopeOptions = {}): unknown {
  const until = checked(body, options);
  if (sharedState.requestsRunning > 0 && openRequest() !== undefined) return body();
  const request = new Request();
  sharedState.requestsRunning += 1;
  const endsElsewhere = until !== undefined && until.closed !== true;
  try {
    if (endsElsewhere) until.once("close", () => end(request));
    const answer = sharedState.requestFrames.run(request, begin, body, endsElsewhere);
    if (endsElsewhere) return answer;
    if (isThenable(answer)) return endWith(request, answer);
    end(request);
    return answer;
  } catch (error) {
    end(request);
    throw error;
  }
}

/** Adopts a promise within the request, because the `then` of a lazy one begins its work. */
function begin(body: () => unknown, endsElsewhere: boolean): unknown {
  const answer = body();
  return !endsElsewhere && isThenable(answer) ? Promise.resolve(answer) : answer;
}

/** Ends the request before the caller goes on. */
async function endWith(request: Request, answer: PromiseLike<unknown>): Promise<unknown> {
  try {
    return await answer;
  } finally {
    end(request);
  }
}

function end(request: Request): void {
  if (!request.isOpen) return;
  request.end();
  sharedState.requestsRunning -= 1;
  // While a context is in use, Node 20 makes each `await` slower.
  if (sharedState.requestsRunning === 0) sharedState.requestFrames.disable();
}

function checked(body: unknown, options: RequestScopeOptions): RequestEnd | undefined {
  if (typeof body !== "function") {
    throw optionError(
      `requestScope() expected a function that handles the request, got ${shown(body)}. ` +
        "Give one, as in requestScope(() => handle(request)).",
    );
  }
  refuseUnknownOptions(options, ["until"], "requestScope()");
  const { until } = options;
  if (until === undefined || typeof until?.once === "function") return until;
  throw optionError(
    `requestScope() expected the option until to be an emitter of the event "close", such as a response, got ${shown(until)}.`,
  );
}
