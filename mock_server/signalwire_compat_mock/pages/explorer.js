"use strict";

function prepare(request) {
  // Without this, the browser shows its own login dialog on a 401.
  request.credentials = "omit";
  // Do not send form fields that were left empty.
  if (typeof request.body === "string" && request.method === "POST") {
    request.body = request.body.split("&").filter((pair) => !pair.endsWith("=")).join("&");
  }
  return request;
}

window.addEventListener("load", async () => {
  const { project, token } = await (await fetch("/docs/credentials")).json();
  document.getElementById("project").textContent = project;
  if (token) document.getElementById("token").textContent = token;
  const ui = SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#explorer",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 1,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    validatorUrl: null,
    requestInterceptor: prepare,
    plugins: [() => pythonSample(project, token)],
    onComplete: () => {
      if (!token) return;
      for (const [name, scheme] of ui.specSelectors.securityDefinitions() || []) {
        if (/^basic$/i.test(scheme.get("scheme"))) ui.preauthorizeBasic(name, project, token);
        else ui.preauthorizeApiKey(name, token);
      }
    },
  });
});
