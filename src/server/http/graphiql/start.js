// Runs in the browser, before nothing else of ours: takes the key out of the address bar's fragment
// (#token=…, which browsers never send) and gives it to every tab as a header, where it can be seen and changed.
const KEY = "docket:token";
const TABS = "graphiql:tabState";

const fragment = new URLSearchParams(location.hash.slice(1));
const given = fragment.get("token");
if (given !== null) {
  sessionStorage.setItem(KEY, given);
  history.replaceState(null, "", location.pathname + location.search);
}
const token = given ?? sessionStorage.getItem(KEY);
const headers = token === null ? undefined : JSON.stringify({ Authorization: `Bearer ${token}` }, null, 2);

// Tabs of an earlier visit keep an earlier key, or none.
const stored = localStorage.getItem(TABS);
if (stored !== null && headers !== undefined) {
  const state = JSON.parse(stored);
  for (const tab of state.tabs) tab.headers = headers;
  localStorage.setItem(TABS, JSON.stringify(state));
}

globalThis.MonacoEnvironment = {
  globalAPI: false,
  getWorkerUrl: (_module, label) => `graphql/assets/${label}.js`,
};

const operations = await (await fetch("graphql/assets/operations.json")).json();
globalThis.YogaGraphiQL.renderYogaGraphiQL(document.querySelector("#root"), {
  title: "Docket",
  logo: "<span></span>",
  defaultTabs: operations.map((query) => ({ ...query, headers })),
  ...(headers === undefined ? {} : { headers }),
  subscriptionsProtocol: "SSE",
  // A key that lies on disk after the window is closed is not worth the comfort.
  shouldPersistHeaders: false,
  defaultEditorToolsVisibility: "variables",
});
