// relax_spec.mjs SPEC.yaml OUT.json: an OpenAPI file whose form bodies a proxy can judge.
//
// A form carries only strings, one after the other, and the referee hands over one string for each name. A field that
// the file declares as an array, a number or a file would then never fit, so each may also be a string. Fields that
// stand for any name ("h:X-My-Header", "v:my-var") are left as they are: the body takes further names anyway.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const [source, target] = process.argv.slice(2);
const yaml = createRequire(process.cwd() + "/")("js-yaml");
const spec = yaml.load(readFileSync(source, "utf8"));

const resolve = (node) => {
    while (node && node.$ref) {
        const names = node.$ref.replace(/^#\//, "").split("/");
        node = names.reduce((at, name) => at[name.replace(/~1/g, "/").replace(/~0/g, "~")], spec);
    }
    return node;
};

const relaxed = (property) => {
    const type = resolve(property)?.type;
    return !type || type === "string" ? property : { anyOf: [property, { type: "string" }] };
};

let count = 0;
for (const path of Object.values(spec.paths)) {
    for (const operation of Object.values(path)) {
        const content = resolve(operation?.requestBody)?.content;
        const form = content?.["multipart/form-data"];
        const schema = form && structuredClone(resolve(form.schema));
        if (!schema?.properties) continue;
        schema.properties = Object.fromEntries(
            Object.entries(schema.properties).map(([name, property]) => [name, relaxed(property)]),
        );
        content["multipart/form-data"] = { schema };
        content["application/x-www-form-urlencoded"] ??= { schema: structuredClone(schema) };
        count += 1;
    }
}
writeFileSync(target, JSON.stringify(spec));
console.log(`${count} form bodies relaxed`);
