exports.user = (id) => ({ id, from: "the database" });
