import { nodes, stats, storages } from "cacheme";
import { connection } from "next/server";

export async function GET() {
  await connection(); // Else Next answers with what it was at build time.
  return Response.json({
    nodes: nodes().map(({ name }) => name),
    storages: storages().map(({ name }) => name),
    stats: stats(),
  });
}
