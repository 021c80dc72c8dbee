// A certified OpenID provider (panva's oidc-provider) on loopback: node oidc_provider.mjs <package folder> <port> <callback>
// <groups.json>. Whoever types a name at its form is that person.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, port, callback, groups] = process.argv.slice(2);
const found = createRequire(`${folder}/package.json`).resolve("oidc-provider");
const { default: Provider } = await import(pathToFileURL(found));

const groupsOf = (id) => JSON.parse(readFileSync(groups))[id] ?? [id.startsWith("guest") ? "guests" : "staff"];
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: "citymap", client_secret: "a-secret-of-the-tests-alone", redirect_uris: [callback] }],
  pkce: { required: () => true },
  conformIdTokenClaims: false,
  claims: { openid: ["sub"], profile: ["preferred_username", "groups"], email: ["email", "email_verified"] },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({
      sub: id, preferred_username: id, groups: groupsOf(id),
      email: `${id}@city.example`, email_verified: true,
    }),
  }),
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
