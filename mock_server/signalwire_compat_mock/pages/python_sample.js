"use strict";

// A plugin of Swagger UI: beside each form, the call of the Python client that sends the same.
function pythonSample(project, token) {
  return {
    wrapComponents: {
      parameters: (Form, system) => (props) => {
        const { React, getComponent } = system;
        const [tag, id] = [props.operation.getIn(["tags", 0], "default"), props.operation.get("operationId")];
        // Nobody calls a callback: the provider sends it.
        if (!props.allowTryItOut || !id) return React.createElement(Form, props);
        const settings = [...credentials(system, props.operation, project, token), ["host", location.origin]];
        const client = settings.filter(([, value]) => value).map(named);
        const arguments_ = sampleArguments(system, props.pathMethod, project);
        const code = [
          "from signalwire_compat import RestClient\n",
          `client = ${call("RestClient", client)}`,
          `result = ${call(`client.compat.${tag}.${id}`, arguments_)}`,
          "print(result)",
        ].join("\n");
        return React.createElement("div", { className: "with-sample" },
          React.createElement(Form, props),
          React.createElement("aside", { className: "sample", "aria-label": "Python" },
            React.createElement("h4", null, "Python"),
            React.createElement(getComponent("HighlightCode", true), { canCopy: true, language: "text" }, code)));
      },
    },
  };
}

const call = (name, lines) => `${name}(${lines.map((line) => `\n    ${line},`).join("")}${lines.length ? "\n" : ""})`;
const named = ([name, value]) => `${name}=${python(value)}`;
const isGiven = (value) => value !== undefined && value !== "" && !(Array.isArray(value) && !value.length);

// What the client takes for the first way to authorize an operation.
function credentials({ specSelectors }, operation, project, token) {
  const ways = operation.get("security") ?? specSelectors.specJson().get("security");
  const schemes = specSelectors.securityDefinitions()?.toJS() ?? {};
  const isSent = ({ type, scheme } = {}) => type !== "mutualTLS" && !(type === "http" && !/^(basic|bearer)$/i.test(scheme));
  const served = (ways?.toJS() ?? []).map(Object.keys).find((way) => way.length && way.every((name) => isSent(schemes[name])));
  return (served ?? []).flatMap((name) => {
    const scheme = schemes[name];
    if (/^basic$/i.test(scheme.scheme)) {
      const { username, password } = scheme["x-fern-basic"] ?? {};
      return [[argument(username?.name ?? `${name}_username`), project], [argument(password?.name ?? `${name}_password`), token]];
    }
    const own = scheme["x-fern-bearer"] ?? scheme["x-fern-header"];
    return [[argument(own?.name ?? name), token]];
  });
}

// Spelled as the generator does. Other arguments of the client have some names already.
function argument(name) {
  const words = /[A-Z]/.test(name) ? name.split(/([A-Z]?[a-z]+)/).join(" ") : name;
  const spelled = words.match(/[^. _-]+/g).join("_").toLowerCase();
  return /^(host|timeout|max_retries|headers)$/.test(spelled) ? `${spelled}_` : spelled;
}

// Path parameters are positional, all others have the name of the contract.
function sampleArguments({ specSelectors, oas3Selectors }, pathMethod, project) {
  const positional = [], others = [];
  const { parameters, requestBody } = specSelectors.operationWithMeta(...pathMethod).toJS();
  const kind = oas3Selectors.requestContentType(...pathMethod);
  const fields = kind && requestBody.content[kind].schema.properties || {};
  for (const { name, value, schema, in: place, ...rest } of parameters || []) {
    const isAccount = rest["x-client-default"] === "account";
    if (!isGiven(value) || isAccount && (value === project || name in fields)) continue;
    if (place === "path" && !isAccount) positional.push(python(value, schema));
    else others.push(`${name}=${python(value, schema)}`);
  }
  const body = oas3Selectors.requestBodyValue(...pathMethod);
  if (typeof body === "string") return [...positional, ...others, ...json(body)];
  const values = body ? body.toJS() : {};
  const form = Object.keys(fields).filter((name) => isGiven(values[name]?.value));
  return [...positional, ...form.map((name) => `${name}=${python(values[name].value, fields[name])}`), ...others];
}

// An object of JSON is passed by its members.
function json(text) {
  try {
    const value = JSON.parse(text);
    return value instanceof Object && !Array.isArray(value) ? Object.entries(value).map(named) : [`body=${python(value)}`];
  } catch {
    return text ? [`body=${python(text)}`] : [];
  }
}

// A form holds numbers and booleans as text; their schema tells.
function python(value, { type, items } = {}) {
  if (Array.isArray(value)) return `[${value.map((item) => python(item, items)).join(", ")}]`;
  if (value instanceof Object) return `{${Object.entries(value).map(([k, v]) => `${python(k)}: ${python(v)}`).join(", ")}}`;
  if (value === null) return "None";
  if (typeof value !== "string") return { true: "True", false: "False" }[value] ?? String(value);
  const isPlain = [type].flat().some((each) => ["boolean", "integer", "number"].includes(each));
  try {
    return isPlain ? python(JSON.parse(value)) : JSON.stringify(value);
  } catch {
    return JSON.stringify(value);
  }
}
