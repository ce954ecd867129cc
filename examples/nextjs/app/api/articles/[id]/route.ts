import { get, invalidate } from "cacheme";
import { db } from "@/database";
import { AuthorNode, article } from "@/nodes";

interface Context {
  params: Promise<{ id: string }>;
}

export async function GET(_request: Request, { params }: Context) {
  const found = await get(article((await params).id));
  if (found === undefined) return new Response("No such article", { status: 404 });
  return Response.json({ ...found, author: await get(new AuthorNode(found.authorId)) });
}

/** Renames an article. Pages show the new title at once, because they read from the same memory. */
export async function PUT(request: Request, { params }: Context) {
  const { id } = await params;
  await db.rename(id, await request.text());
  await invalidate(article(id)); // Invalidate after the change. Otherwise a read in between would cache the old title.
  return new Response(undefined, { status: 204 });
}
