// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts are sources that hold templates
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as first from "../src/index.js";
import { reason } from "./support/reason.js";

type Package = Pick<typeof first, "defineNode" | "Node">;

/** The names that the sources below import and close over. */
type Scope = Readonly<Record<string, unknown>>;

/**
 * Evaluates a module that a bundler made. Its value is a node class or the argument of
 * `defineNode`.
 */
function evaluate(source: string, { Node, defineNode }: Package, scope: Scope = {}): () => first.Node {
  const names = ["Node", ...Object.keys(scope)];
  const made: unknown = new Function(...names, `return (${source})`)(Node, ...Object.values(scope));
  if (typeof made === "function") return () => new (made as new (id: number) => first.Node)(1);
  return defineNode(made as never) as () => first.Node;
}

/** Evaluates the package a second time, as a second module graph does. */
async function secondCopy(): Promise<Package> {
  vi.resetModules();
  return import("../src/index.js");
}

function warnings() {
  return vi.spyOn(process, "emitWarning").mockImplementation(() => {});
}

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/**
 * The output of Next.js 16.4.6 with Turbopack for one module: for pages, and for route handlers.
 */
const minified: readonly [what: string, page: string, route: string][] = [
  [
    "a name that is equal to the property it is taken from",
    '{name:"n",key:()=>"k",load:async({a,b})=>({...await m(a),slug:(0,f.default)(b)})}',
    '{name:"n",key:()=>"k",load:async({a:e,b:t})=>({...await h(e),slug:(0,r.default)(t)})}',
  ],
  [
    "defaults and a rest in a pattern",
    '{name:"n",key:({a=1,...b}={})=>`${a}/${b.c}`}',
    '{name:"n",key:({a:e=1,...t}={})=>`${e}/${t.c}`}',
  ],
  [
    "the number of a module",
    '{name:"n",key:()=>"k",load:async b=>{let{default:c}=await a.A(57349);return c(`A ${b}`)}}',
    '{name:"n",key:()=>"k",load:async t=>{let{default:a}=await e.A(49344);return a(`A ${t}`)}}',
  ],
  [
    "a template in a template",
    'class w extends Node{id;static meta={name:"n"};key(){return"k"}async load(a){let b=await (0,d.g)(a);' +
      'return{u:f.label(this.id)+`${b.slug?`nested ${(0,f.hash)("z")}`:"none"}`}}}',
    'class x extends Node{id;static meta={name:"n"};key(){return"k"}async load(e){let t=await (0,n.g)(e);' +
      'return{u:r.label(this.id)+`${t.slug?`nested ${(0,r.hash)("z")}`:"none"}`}}}',
  ],
  [
    "private names, and a regular expression with quotes",
    'class y extends Node{static meta={name:"n"};static pattern=/^[a-z\'"`/]+$/i;key(){return"k"}async load(a){' +
      "for(let[b,c]of a.parts)y.pattern.test(c)?await this.#c(c):k.default.basename(c)+b}async #c(a){return`${a} ${b.X}`}}",
    'class z extends Node{static meta={name:"n"};static pattern=/^[a-z\'"`/]+$/i;key(){return"k"}async load(e){' +
      "for(let[t,a]of e.parts)z.pattern.test(a)?await this.#a(a):d.default.basename(a)+t}async #a(e){return`${e} ${o.X}`}}",
  ],
  [
    "a name that stands for several of the other source, each in its scope",
    'class x extends Node{static meta={name:"n"};static #b=0;key(){return"k"}static half=async a=>(x.#b+=a.length,a.map(a=>a/2))}',
    'class U extends Node{static meta={name:"n"};static #t=0;key(){return"k"}static half=async e=>(U.#t+=e.length,e.map(t=>t/2))}',
  ],
];

describe("one source in two module graphs of a minified build", () => {
  beforeEach(() => void vi.stubEnv("NODE_ENV", "production"));

  it.each(minified)("is one node: %s", async (_, page, route) => {
    const cacheme = new first.Cacheme();
    const [onPage, inRoute] = [evaluate(page, first), evaluate(route, first)];
    await cacheme.set(onPage(), "shared");
    expect(await cacheme.get(inRoute())).toBe("shared");
  });

  it("is one node even if a graph has inlined a function that the other one calls", async () => {
    const cacheme = new first.Cacheme();
    const page = evaluate('{name:"n",key:a=>`user:${a}`,load:async a=>(0,f.user)(a)}', first);
    const route = evaluate(
      '{name:"n",key:e=>h(e),load:async e=>{if(e<0)throw Error("no");return s.query(e)}}',
      await secondCopy(),
      { h: (id: number) => `user:${id}` },
    );
    await cacheme.set(page(), "shared");
    expect(await cacheme.get(route())).toBe("shared");
  });

  it.each<[string, string, string]>([
    [
      "other strings",
      '{name:"n",key:()=>"k",load:e=>e.get("a")}',
      '{name:"n",key:()=>"k",load:e=>e.get("b")}',
    ],
    [
      "other properties",
      '{name:"n",key:()=>"k",load:e=>t.user(e)}',
      '{name:"n",key:()=>"k",load:e=>t.post(e)}',
    ],
    [
      "another number",
      '{name:"n",key:()=>"k",load:e=>t.top(10)}',
      '{name:"n",key:()=>"k",load:e=>t.top(20)}',
    ],
    ["another operator", '{name:"n",key:()=>"k",load:e=>e/2/1}', '{name:"n",key:()=>"k",load:e=>e*2/1}'],
  ])("is refused in one graph: %s", async (_, one, other) => {
    const cacheme = new first.Cacheme();
    await cacheme.set(evaluate(one, first)(), 1);
    expect(await reason(cacheme.get(evaluate(other, first)()))).toMatchObject({
      code: "CACHEME_DUPLICATE_NODE",
    });
  });

  it.each<[string, string, string]>([
    [
      "another version",
      '{name:"n",key:()=>"k",load:e=>t(e)}',
      '{name:"n",version:2,key:()=>"k",load:e=>t(e)}',
    ],
    ["other members", '{name:"n",key:()=>"k",load:e=>t(e)}', '{name:"n",key:()=>"k",loadAll:e=>t(e)}'],
    [
      "a method more",
      'class e extends Node{static meta={name:"n"};key(){return"k"}load(){return t()}}',
      'class e extends Node{static meta={name:"n"};key(){return"k"}load(){return t()}tags(){return[]}}',
    ],
    [
      "sources that are not minified",
      '{ name: "n", key: () => "k", load: (id) => { return findUser(id); } }',
      '{ name: "n", key: () => "k", load: (id) => { return findPost(id); } }',
    ],
    [
      "short sources that are not minified",
      '{ name: "n", key: ()=>"k", load: (id)=>findUser(id) }',
      '{ name: "n", key: ()=>"k", load: async (id)=>findPost(id) }',
    ],
  ])("is refused from two graphs: %s", async (_, one, other) => {
    const cacheme = new first.Cacheme();
    const [left, right] = [evaluate(one, first), evaluate(other, await secondCopy())];
    await cacheme.set(left(), 1);
    expect(await reason(cacheme.get(right()))).toMatchObject({ code: "CACHEME_DUPLICATE_NODE" });
  });
});

describe("one source in two module graphs of a development server", () => {
  const imported = (graph: string) =>
    `__TURBOPACK__imported__module__$5b$project$5d2f$lib$2f$format$2e$ts__$5b$${graph}$5d$__$28$ecmascript$29$__`;
  const inGraph = (graph: string, name: string) => `{
    name: "n",
    key: ()=>"k",
    load: async (id)=>{
        const { default: dyn } = await __turbopack_context__.A("[project]/lib/format.ts [${graph}] (ecmascript, async loader)");
        return dyn(\`A \${id} it's \${(0, ${imported(name)}["hash"])(id)}\`); // the reader's
    }
  }`;

  it("is one node", async () => {
    const warned = warnings();
    const cacheme = new first.Cacheme();
    const page = evaluate(inGraph("app-rsc", "app$2d$rsc"), first);
    const route = evaluate(inGraph("app-route", "app$2d$route"), await secondCopy());
    await cacheme.set(page(), "shared");
    expect(await cacheme.get(route())).toBe("shared");
    expect(warned).not.toHaveBeenCalled();
  });

  it.each([
    ["(a, b) => a - b", "(a, b) => b - a"],
    ["()=>one", "()=>two"],
    ["({a,b})=>f(a,b)", "({a,b})=>f(b,a)"],
    ["() => half(4) / 2", "() => half(4) / 4"],
  ])("takes over after an edit of a short name: %s", async (load, edited) => {
    const warned = warnings();
    const cacheme = new first.Cacheme();
    const [older, newer] = [load, edited].map((source) =>
      evaluate(`{name:"n",key:()=>"k",load:${source}}`, first, {
        one: "old",
        two: "new",
      }),
    );
    await cacheme.set(older!(), "old");
    expect(await cacheme.peek(newer!())).toBeUndefined();
    expect(warned).toHaveBeenCalledOnce();
  });
});

describe("an error in a minified build", () => {
  it("has the name of its class in its source, also at the head of its stack", () => {
    const rename = (name: string) => Object.defineProperty(first.StorageError, "name", { value: name });
    rename("i");
    try {
      const error = new first.StorageError("CACHEME_STORAGE_FAILED", "no");
      expect([error.name, error.stack?.split("\n")[0]]).toEqual(["StorageError", "StorageError: no"]);
    } finally {
      rename("StorageError");
    }
    class Derived extends first.StorageError {}
    expect(new Derived("CACHEME_STORAGE_FAILED", "no").name).toBe("Derived");
  });
});
