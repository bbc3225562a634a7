// Runs in the browser. Takes the key out of the address bar's fragment (#token=…, which browsers never send) and
// gives it to every tab as a header, where it can be seen and changed.
const KEY = "docket:token";
const TABS = "graphiql:tabState";

const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given !== null) sessionStorage.setItem(KEY, given);
history.replaceState(null, "", location.pathname);
const token = given ?? sessionStorage.getItem(KEY);
const headers = token === null ? null : JSON.stringify({ Authorization: `Bearer ${token}` }, null, 2);

/** Tabs of an earlier visit, without what GraphiQL would make of a state that it finds: one empty tab more. */
function storedTabs() {
  const stored = localStorage.getItem(TABS);
  localStorage.removeItem(TABS);
  try {
    return JSON.parse(stored ?? "null")?.tabs.filter(({ query }) => query) ?? [];
  } catch {
    return [];
  }
}

const earlier = storedTabs();
const tabs = earlier.length > 0 ? earlier : await (await fetch("graphql/assets/operations.json")).json();

globalThis.MonacoEnvironment = {
  globalAPI: false,
  getWorkerUrl: (_module, label) => `graphql/assets/${label}.js`,
};

globalThis.YogaGraphiQL.renderYogaGraphiQL(document.querySelector("#root"), {
  title: "Docket",
  logo: "<span></span>",
  defaultTabs: tabs.map(({ query, variables }) => ({ query, variables, headers })),
  // The first tab does not take these from its definition.
  query: tabs[0].query,
  variables: tabs[0].variables ?? "",
  headers: headers ?? "",
  subscriptionsProtocol: "SSE",
  // A key that lies on disk after the window is closed is not worth the comfort.
  shouldPersistHeaders: false,
  defaultEditorToolsVisibility: "variables",
});
