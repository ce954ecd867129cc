import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lib/command.mjs";
import { filesBelow } from "../lib/files-below.mjs";

const services = "packages/test-services/src/services";
const image = ".devcontainer/Dockerfile";
const workflow = ".github/workflows/ci.yml";

/**
 * The places where the project is developed agree with the project: the development container has the packages of every server
 * that the tests start, and the workflow runs `.ci/run` with the oldest Node that package.json allows and pins its actions.
 */
export function checkDevelopment() {
  const faults = [...missingServers(), ...workflowFaults()];
  if (faults.length > 0) throw new Error(faults.join("\n"));
  return `${image}, ${workflow}`;
}

/** @param {string} file */
function read(file) {
  return readFileSync(join(root, file), "utf8");
}

function missingServers() {
  const sources = filesBelow(join(root, services), ".ts").map((file) => read(`${services}/${file}`));
  const needed = sources.flatMap((text) =>
    [...text.matchAll(/\bdebianPackages: \[(?<names>[^\]]*)\]/g)].flatMap(([, names = ""]) =>
      [...names.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => name),
    ),
  );
  if (needed.length === 0) return [`${services} names no package of Debian`];
  const installed = new Set(read(image).split(/\s+/));
  return needed
    .filter((name) => !installed.has(name))
    .map((name) => `${image} does not install ${name}, which the tests need`);
}

function workflowFaults() {
  const text = read(workflow);
  const { engines } = JSON.parse(read("package.json"));
  const oldest = `"${engines.node.replace(/^>=/, "")}.0"`;
  const unpinned = [...text.matchAll(/uses: (?<action>\S+)/g)]
    .map(([, action = ""]) => action)
    .filter((action) => !/@[0-9a-f]{40}$/.test(action));
  return [
    ...(text.includes("run: .ci/run") ? [] : [`${workflow} does not run .ci/run`]),
    ...(text.includes(`node: [${oldest}`) ? [] : [`${workflow} does not begin with Node ${oldest}`]),
    ...unpinned.map((action) => `${workflow}: pin ${action} to a commit`),
  ];
}
