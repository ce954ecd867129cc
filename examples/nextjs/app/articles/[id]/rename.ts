"use server";
import { invalidate } from "cacheme";
import { db } from "@/database";
import { article } from "@/nodes";

/** Renames an article, as the route handler does. */
export async function rename(id: string, form: FormData) {
  await db.rename(id, `${form.get("title")}`);
  await invalidate(article(id));
}
