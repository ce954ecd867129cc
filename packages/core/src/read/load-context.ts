import { milliseconds } from "../duration.js";
import type { Entry } from "../entry/entry.js";
import { LoadError } from "../errors.js";
import { nodeLabel } from "../node/key.js";
import type { LoadAllContext, LoadContext, Node } from "../node/node.js";
import type { LoadSurroundings } from "../node/reads.js";
import type { ConditionalLoad } from "../runtime/conditional-load.js";
import type { Flight } from "../runtime/flight.js";
import type { Load } from "./load.js";
import { conditionalOf } from "./previous-entry.js";
import { tellTags } from "./told-tags.js";

/**
 * The space of a load, as its context shows it. It uses getters, because a load seldom reads any of
 * them.
 */
class Surroundings implements LoadSurroundings {
  readonly #space: LoadSurroundings;

  constructor(space: LoadSurroundings) {
    this.#space = space;
  }

  get get(): LoadSurroundings["get"] {
    return this.#space.get;
  }

  get getAll(): LoadSurroundings["getAll"] {
    return this.#space.getAll;
  }

  get peek(): LoadSurroundings["peek"] {
    return this.#space.peek;
  }

  get inject(): LoadSurroundings["inject"] {
    return this.#space.inject;
  }
}

/**
 * The context of one node's load. The methods are bound, so that a user may destructure the
 * context. They are made when a load reads them, which most loads do not.
 */
export class FlightContext extends Surroundings implements LoadContext {
  readonly #load: Load;
  readonly #flight: Flight;

  constructor(load: Load, flight: Flight) {
    super(load.space);
    this.#load = load;
    this.#flight = flight;
  }

  get previous(): Entry | undefined {
    return this.#conditional.previous;
  }

  get keep(): LoadContext["keep"] {
    const conditional = this.#conditional;
    return (data) => conditional.keep(data);
  }

  get notModified(): LoadContext["notModified"] {
    const conditional = this.#conditional;
    // It stands for the previous value, so the load may return it in the value's place.
    return () => conditional.notModified() as never;
  }

  get #conditional(): ConditionalLoad {
    return conditionalOf(this.#flight, this.#load.environment.clock.now());
  }

  get signal(): AbortSignal {
    return this.#load.signal;
  }

  get ttl(): LoadContext["ttl"] {
    const flight = this.#flight;
    const node = this.#load.runtime.name;
    const { key } = flight;
    return (duration) => {
      const about = `ttl given in the load of ${nodeLabel(node, key)}`;
      flight.ttl = milliseconds(duration, about, { node, key });
    };
  }

  get tag(): LoadContext["tag"] {
    const flight = this.#flight;
    const { tags } = this.#load.environment;
    return (...told) => tellTags(flight.runtime, flight.key, flight, told, tags);
  }

  get skip(): LoadContext["skip"] {
    const flight = this.#flight;
    return () => {
      flight.skip = true;
    };
  }
}

export class BulkContext extends Surroundings implements LoadAllContext {
  readonly #load: Load;
  #flights: ReadonlyMap<string, Flight> | undefined;
  readonly for: LoadAllContext["for"];

  constructor(load: Load) {
    super(load.space);
    this.#load = load;
    this.for = ((node: Node) => {
      // Finds nodes by class and key. A definition without a class gets arguments, and makes a new
      // node for the lookup.
      this.#flights ??= new Map(load.flights.map((flight) => [flight.key, flight]));
      const isOfClass = Object.getPrototypeOf(node) === load.runtime.prototype;
      const flight = isOfClass ? this.#flights.get(load.runtime.keyOf(node)) : undefined;
      if (flight !== undefined) return new FlightContext(load, flight);
      throw new LoadError(
        "CACHEME_LOAD_SHAPE",
        `context.for(…) in loadAll of node "${load.runtime.name}" got a node that this call does not load. ` +
          "Give one of the nodes of its first argument.",
        { node: load.runtime.name },
      );
      // The context of a node is typed by that node; at run time all of them are the same.
    }) as LoadAllContext["for"];
  }

  get signal(): AbortSignal {
    return this.#load.signal;
  }
}
