// Compiles contracts/ with the pinned solc and writes one artifact file, named by the digest that the caller gives.
// Usage: node scripts/compile_contracts.mjs SETTINGS.json OUTPUT.json
// Called by verifier/chain/contract_artifacts.py, which computes the digest and owns the cache.
// The compiler reads nothing but its input: the same input is what block explorers verify sources by.
import { createRequire } from "node:module";
import { readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(join(root, "package.json"));
const solc = require("solc");

function solidityFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return solidityFiles(path);
    return entry.name.endsWith(".sol") ? [path] : [];
  });
}

// Packages are named as in the import (@openzeppelin/…), own files by their path from the root.
function readUnit(unit) {
  return readFileSync(unit.startsWith("@") ? join(root, "node_modules", unit) : join(root, unit), "utf8");
}

function importedUnits(unit, content) {
  const paths = [...content.matchAll(/^\s*import\s[^"';]*["']([^"']+)["']/gm)].map((match) => match[1]);
  return paths.map((path) => (path.startsWith(".") ? posix.join(posix.dirname(unit), path) : path));
}

// Contracts of packages that are deployed as they are.
const packaged = ["@openzeppelin/contracts/governance/TimelockController.sol"];

// Every source that is compiled, in the order of names: the order of the file system must not matter.
function allSources() {
  const found = new Map();
  const own = solidityFiles(join(root, "contracts")).map((path) => relative(root, path));
  const waiting = [...own, ...packaged];
  while (waiting.length > 0) {
    const unit = waiting.pop();
    if (found.has(unit)) continue;
    const content = readUnit(unit);
    found.set(unit, { content });
    waiting.push(...importedUnits(unit, content));
  }
  return Object.fromEntries([...found].sort(([first], [second]) => (first < second ? -1 : 1)));
}

// What a pass compiles: the files that it names, or all that no other pass names.
function filesOf(pass, passes, sources) {
  if (pass.files) return pass.files;
  const named = new Set(passes.flatMap((other) => other.files ?? []));
  return Object.keys(sources).filter((unit) => (unit.startsWith("contracts/") || packaged.includes(unit)) && !named.has(unit));
}

function compile(pass, settings, passes, sources) {
  const selection = Object.fromEntries(filesOf(pass, passes, sources).map((unit) => [unit, { "*": settings.outputs }]));
  const optimizer = { enabled: true, runs: pass.runs };
  const input = { language: "Solidity", sources, settings: { ...settings.common, optimizer, outputSelection: selection } };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const errors = (output.errors ?? []).filter((entry) => entry.severity === "error");
  if (errors.length > 0) {
    console.error(errors.map((entry) => entry.formattedMessage).join("\n"));
    process.exit(1);
  }
  const contracts = Object.entries(output.contracts).flatMap(([file, units]) =>
    Object.entries(units).map(([name, unit]) => [
      name,
      {
        source: file,
        abi: unit.abi,
        bytecode: `0x${unit.evm.bytecode.object}`,
        deployedBytecode: `0x${unit.evm.deployedBytecode.object}`,
        immutableReferences: unit.evm.deployedBytecode.immutableReferences ?? {},
      },
    ]),
  );
  return { input, contracts };
}

const [settingsFile, outputFile] = process.argv.slice(2);
const settings = JSON.parse(readFileSync(settingsFile, "utf8"));
const sources = allSources();
const inputs = {};
const contracts = {};
for (const pass of settings.passes) {
  const compiled = compile(pass, settings, settings.passes, sources);
  inputs[pass.name] = compiled.input;
  Object.assign(contracts, Object.fromEntries(compiled.contracts));
}
writeFileSync(`${outputFile}.${process.pid}.part`, JSON.stringify({ compiler: solc.version(), contracts, inputs }));
renameSync(`${outputFile}.${process.pid}.part`, outputFile);
