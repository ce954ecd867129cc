"use server";
import { invalidate } from "cacheme";
import { db } from "@/database";
import { article } from "@/nodes";

/** Renames an article, like the route handler. */
export async function rename(id: string, form: FormData) {
  await db.rename(id, `${form.get("title")}`);
  await invalidate(article(id));
}
