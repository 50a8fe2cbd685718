import { register } from "node:module";

register("./json_modules.mjs", import.meta.url);
