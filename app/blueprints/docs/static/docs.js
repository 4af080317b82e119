// Shows the document with Swagger UI. The session cookie goes along by itself; a token that is entered under
// "Authorize" shows, from then on, what it may call.
"use strict";

const address = new URL(document.getElementById("docs").dataset.document + window.location.search, window.location);
let token = null;

function withToken(request) {
  if (token && request.loadSpec) {
    request.headers = { ...request.headers, Authorization: `Bearer ${token}` };
  }
  return request;
}

// Swagger UI shows an example with every status. All errors have one form: one entry names them all.
function withErrorsTogether(response) {
  if (!response.url?.startsWith(address.href) || !response.ok) return response;
  const described = JSON.parse(response.text);
  const found = (each) => (each.$ref ? described.components.responses[each.$ref.split("/").pop()] : each);
  for (const operation of Object.values(described.paths).flatMap((path) => Object.values(path))) {
    const failing = Object.entries(operation.responses ?? {}).filter(([status]) => status >= "400");
    const example = failing.map(([, each]) => found(each)).find((each) => each.content);
    if (!example) continue;
    const lines = failing.map(([status, each]) => `- **${status}** ${found(each).description}`);
    for (const [status] of failing) delete operation.responses[status];
    operation.responses.default = { ...example, description: `An error:\n\n${lines.join("\n")}` };
  }
  return { ...response, text: JSON.stringify(described) };
}

// What the parts of "Authorize" give: text for an API key or token, an answer of the token endpoint for OAuth2.
function tokenOf(authorized) {
  for (const given of Object.values(authorized)) {
    if (given.token?.access_token) return given.token.access_token;
    if (given.schema?.scheme === "bearer") return given.value;
  }
  return null;
}

// After a change of credentials the document is fetched anew, with them.
const reload = () => ({
  statePlugins: {
    auth: {
      wrapActions: Object.fromEntries(
        ["authorize", "authorizeOauth2", "logout"].map((name) => [
          name,
          (original, system) => (payload) => {
            const result = original(payload);
            const authorized = system.authSelectors.authorized()?.toJS() ?? {};
            const found = tokenOf(authorized);
            if (found !== token) {
              token = found;
              system.specActions.download(address.href);
            }
            return result;
          },
        ]),
      ),
    },
  },
});

const ui = SwaggerUIBundle({
  url: address.href,
  dom_id: "#docs",
  deepLinking: true,
  docExpansion: "list",
  filter: true,
  validatorUrl: null,
  tryItOutEnabled: false,
  displayRequestDuration: true,
  requestInterceptor: withToken,
  responseInterceptor: withErrorsTogether,
  oauth2RedirectUrl: new URL("/api/docs/oauth2-redirect.html", window.location).href,
  plugins: [reload],
});
ui.initOAuth({ usePkceWithAuthorizationCodeGrant: true });
