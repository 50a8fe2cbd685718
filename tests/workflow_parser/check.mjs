// stdin: {"files": {path: text}, "actions": {"owner/name": metadata}}; stdout: [{file, line, message}].
import { readFileSync } from "node:fs";
import { validate } from "@actions/languageservice";
import {
  convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow,
} from "@actions/workflow-parser";
import { ErrorPolicy } from "@actions/workflow-parser/model/convert";
import { TextDocument } from "vscode-languageserver-textdocument";

const { files, actions } = JSON.parse(readFileSync(0, "utf8"));

const fileProvider = {
  async getFileContent(reference) {
    const name = reference.path;
    if (!(name in files)) throw new Error(`${name} is not in the repository`);
    return { name, content: files[name] };
  },
};

const actionsMetadataProvider = {
  async fetchActionMetadata(action) {
    return actions[`${action.owner}/${action.name}`];
  },
};

async function parsed(name, content) {
  const { context, value } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  const options = { fetchReusableWorkflowDepth: 1, errorPolicy: ErrorPolicy.TryConversion };
  if (value) await convertWorkflowTemplate(context, value, fileProvider, options);
  return context.errors.getErrors().map((error) => ({
    file: name, line: error.range?.start.line ?? 0, message: error.message,
  }));
}

async function diagnosed(name, content) {
  const document = TextDocument.create(`file:///${name}`, "yaml", 1, content);
  const found = await validate(document, { fileProvider, actionsMetadataProvider });
  return found.map((item) => ({
    file: name, line: item.range.start.line + 1, message: item.message,
  }));
}

const findings = [];
for (const [name, content] of Object.entries(files)) {
  findings.push(...await parsed(name, content), ...await diagnosed(name, content));
}
process.stdout.write(JSON.stringify(findings));
