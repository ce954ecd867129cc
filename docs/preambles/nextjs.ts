// The exports of an application's "@/nodes" and "@/database".
import { defineNode as define } from "cacheme";

interface User {
  readonly id: number;
  readonly name: string;
}

export declare const db: {
  user(id: number): Promise<User>;
  rename(id: number, name: string): Promise<void>;
};

export const user = define({ name: "user", key: (id: number) => `${id}`, load: (id) => db.user(id) });
