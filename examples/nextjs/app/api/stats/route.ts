import { nodes, stats, storages } from "cacheme";
import { connection } from "next/server";

export async function GET() {
  await connection(); // Without this, Next returns the answer of the build.
  return Response.json({
    nodes: nodes().map(({ name }) => name),
    storages: storages().map(({ name }) => name),
    stats: stats(),
  });
}
