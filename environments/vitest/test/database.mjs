export function user(id) {
  return { id, from: "the database" };
}
