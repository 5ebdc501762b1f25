// The extension is what Node's own resolution of modules asks for, `nodenext` in tsconfig.json.
export default {
  input: process.env.OPENAPI,
  output: { path: "client", module: { extension: ".js" } },
};
