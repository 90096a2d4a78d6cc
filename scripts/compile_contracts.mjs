// Compiles contracts/ with the pinned solc and writes one artifact file, named by the digest that the caller gives.
// Usage: node scripts/compile_contracts.mjs SETTINGS.json OUTPUT.json
// Called by verifier/contract_artifacts.py, which computes the digest and owns the cache.
import { createRequire } from "node:module";
import { readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(join(root, "package.json"));
const solc = require("solc");

function solidityFiles(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return solidityFiles(path);
      return entry.name.endsWith(".sol") ? [path] : [];
    })
    .sort();
}

function findImport(path) {
  const place = path.startsWith("@") ? join(root, "node_modules", path) : join(root, path);
  try {
    return { contents: readFileSync(place, "utf8") };
  } catch {
    return { error: `no such file: ${path}` };
  }
}

const [settingsFile, outputFile] = process.argv.slice(2);
const sources = Object.fromEntries(
  solidityFiles(join(root, "contracts")).map((path) => [relative(root, path), { content: readFileSync(path, "utf8") }]),
);
const input = { language: "Solidity", sources, settings: JSON.parse(readFileSync(settingsFile, "utf8")) };
const output = JSON.parse(solc.compile(JSON.stringify(input), { import: findImport }));
const errors = (output.errors ?? []).filter((entry) => entry.severity === "error");
if (errors.length > 0) {
  console.error(errors.map((entry) => entry.formattedMessage).join("\n"));
  process.exitCode = 1;
} else {
  const contracts = {};
  for (const [file, units] of Object.entries(output.contracts)) {
    if (!file.startsWith("contracts/")) continue;
    for (const [name, unit] of Object.entries(units)) {
      contracts[name] = {
        source: file,
        abi: unit.abi,
        bytecode: `0x${unit.evm.bytecode.object}`,
        deployedBytecode: `0x${unit.evm.deployedBytecode.object}`,
      };
    }
  }
  const document = { compiler: solc.version(), contracts };
  writeFileSync(`${outputFile}.${process.pid}.part`, JSON.stringify(document));
  renameSync(`${outputFile}.${process.pid}.part`, outputFile);
}
