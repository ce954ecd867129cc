const { compile } = await import(`${process.env.CACHEME_SUPPORT}/processes.mjs`);
const { checkArticlesServer } = await import(`${process.env.CACHEME_SUPPORT}/articles-server.mjs`);

await compile(import.meta.dirname);
console.log(await checkArticlesServer(import.meta.dirname, { body: "On speed", type: "text/plain" }));
