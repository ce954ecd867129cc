import * as cacheme from "cacheme";
import { register } from "../../../storages.js";
import { value, write } from "../../../value.js";

await register(cacheme);

export async function GET(_request, { params }) {
  const { id } = await params;
  return new Response(`${await cacheme.get(value(id))}`);
}

export async function PUT(request, { params }) {
  const { id } = await params;
  await write(id, await request.text());
  await cacheme.invalidate(value(id));
  return new Response(undefined, { status: 204 });
}
