/**
 * The measuring process. `node measure.js speed|pause|bytes SUBJECT SIZE` prints its results as a
 * line of JSON.
 */
import { bytesPerEntry } from "./bytes.js";
import { worstBatch } from "./pause.js";
import { nanosecondsPerOperation } from "./speed.js";
import { subjects } from "./subject.js";

const [, , what, name = "", size = "", only = ""] = process.argv;
const make = subjects[name];
if (make === undefined) throw new RangeError(`No such subject: ${name}`);

switch (what) {
  case "speed":
    console.log(
      JSON.stringify(
        await nanosecondsPerOperation(make, Number(size), (workload) => workload.includes(only)),
      ),
    );
    break;
  case "pause":
    console.log(JSON.stringify(await worstBatch(make, Number(size))));
    break;
  case "bytes":
    console.log(JSON.stringify(await bytesPerEntry(make, Number(size))));
    break;
  default:
    throw new RangeError(`No such measurement: ${what}`);
}
