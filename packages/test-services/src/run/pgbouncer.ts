import { pgbouncerFor } from "../services/pgbouncer.js";
import { type Server, variant } from "./service.js";

/**
 * Starts PgBouncer in front of a server of PostgreSQL.
 *
 * @param port the port of the server
 * @throws Error if this machine has no program for PgBouncer
 */
export function startPgBouncer(port: number, mode: "session" | "transaction"): Promise<Server> {
  return variant("pgbouncer", pgbouncerFor(port, mode));
}
