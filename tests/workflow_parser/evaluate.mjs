// stdin: [{expression, contexts, status}]; stdout: what GitHub's own evaluator makes of each.
import { readFileSync } from "node:fs";
import { data, Evaluator, Lexer, Parser } from "@actions/expressions";

function asData(value) {
  if (value === null || value === undefined) return new data.Null();
  if (typeof value === "boolean") return new data.BooleanData(value);
  if (typeof value === "number") return new data.NumberData(value);
  if (typeof value === "string") return new data.StringData(value);
  if (Array.isArray(value)) return new data.Array(...value.map(asData));
  const pairs = Object.entries(value).map(([key, item]) => ({ key, value: asData(item) }));
  return new data.Dictionary(...pairs);
}

function statusFunctions(status) {
  const truth = {
    always: true,
    success: status === "success",
    failure: status === "failure",
    cancelled: status === "cancelled",
  };
  return Object.entries(truth).map(([name, value]) => ({
    name, minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(value),
  }));
}

function evaluated({ expression, contexts, status }) {
  const functions = statusFunctions(status ?? "success");
  const tokens = new Lexer(expression).lex().tokens;
  const tree = new Parser(tokens, Object.keys(contexts), functions).parse();
  const table = new Map(functions.map((item) => [item.name, item]));
  const result = new Evaluator(tree, asData(contexts), table).evaluate();
  return result.kind === data.Kind.Boolean ? result.value : result.coerceString();
}

const questions = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(questions.map(evaluated)));
