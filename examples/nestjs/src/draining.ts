import { type BeforeApplicationShutdown, Injectable, type NestMiddleware } from "@nestjs/common";
import type { NextFunction, Request, Response } from "express";

/**
 * Ends connections with their answers when the application closes. Otherwise a client that keeps
 * its connection and continues to send requests would keep the server open.
 */
@Injectable()
export class Draining implements NestMiddleware, BeforeApplicationShutdown {
  readonly #underWay = new Set<Response>();
  #isClosing = false;

  use(_request: Request, response: Response, next: NextFunction) {
    if (this.#isClosing) response.set("Connection", "close");
    this.#underWay.add(response);
    response.once("close", () => this.#underWay.delete(response));
    next();
  }

  beforeApplicationShutdown() {
    this.#isClosing = true;
    for (const response of this.#underWay) if (!response.headersSent) response.set("Connection", "close");
  }
}
