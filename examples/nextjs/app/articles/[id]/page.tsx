import { get } from "cacheme";
import { notFound } from "next/navigation";
import { AuthorNode, article } from "@/nodes";
import { rename } from "./rename";

export default async function ArticlePage({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  const found = await get(article(id));
  if (found === undefined) notFound();
  const author = await get(new AuthorNode(found.authorId));
  return (
    <article data-query={found.query}>
      <h1>{found.title}</h1>
      <p>{author.name}</p>
      <form action={rename.bind(undefined, id)}>
        <input name="title" defaultValue={found.title} />
        <button type="submit">Rename</button>
      </form>
    </article>
  );
}
