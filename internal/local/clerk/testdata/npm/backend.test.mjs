// Calls the local Clerk through @clerk/backend, Clerk's official client. TestOfficialClient starts
// the local Clerk and names it in CLERK_API_URL, CLERK_SECRET_KEY and CLERK_SESSION_TOKEN (a session
// token of Ada's in Acme).
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClerkClient, verifyToken } from "@clerk/backend";

const { CLERK_API_URL: apiUrl, CLERK_SECRET_KEY: secretKey, CLERK_SESSION_TOKEN: token } = process.env;
const clerk = createClerkClient({ secretKey, apiUrl, telemetry: { disabled: true } });

// refused returns the first error of a call that must be refused with this status.
async function refused(status, call) {
  const error = await call.then(
    () => assert.fail(`answered instead of refused with ${status}`),
    (error) => error,
  );
  assert.equal(error.status, status, `${error}`);
  assert.ok(error.clerkTraceId);
  return error.errors[0];
}

const bySlug = async (slug) => (await clerk.organizations.getOrganization({ slug })).id;

test("organizations", async () => {
  const { data, totalCount } = await clerk.organizations.getOrganizationList({ orderBy: "+name" });
  assert.equal(totalCount, 2);
  assert.deepEqual(data.map((o) => [o.name, o.slug]), [["Acme", "acme"], ["Globex", "globex"]]);

  const made = await clerk.organizations.createOrganization({ name: "Norakraft" });
  assert.equal(made.slug, "norakraft");
  const renamed = await clerk.organizations.updateOrganization(made.id, { name: "Nora and Sons" });
  assert.equal(renamed.name, "Nora and Sons");
  const noted = await clerk.organizations.updateOrganizationMetadata(made.id, {
    publicMetadata: { plan: "pro" },
  });
  assert.deepEqual(noted.publicMetadata, { plan: "pro" });
  await clerk.organizations.deleteOrganization(made.id);
  const { code } = await refused(404, bySlug("norakraft"));
  assert.equal(code, "organization_not_found_or_unauthorized");
});

test("members", async () => {
  const organizationId = await bySlug("acme");
  const list = await clerk.organizations.getOrganizationMembershipList({ organizationId, orderBy: "+email_address" });
  assert.equal(list.totalCount, 2);
  assert.deepEqual(list.data.map((m) => [m.publicUserData.identifier, m.role]), [
    ["ada@acme.example", "org:admin"],
    ["max@acme.example", "org:member"],
  ]);
  const everywhere = await clerk.organizations.getInstanceOrganizationMembershipList({ limit: 10 });
  assert.equal(everywhere.totalCount, 4);

  const [nora] = (await clerk.users.getUserList({ emailAddress: ["nora@example.com"] })).data;
  const member = { organizationId, userId: nora.id };
  await clerk.organizations.createOrganizationMembership({ ...member, role: "org:member" });
  const promoted = await clerk.organizations.updateOrganizationMembership({ ...member, role: "org:admin" });
  assert.equal(promoted.role, "org:admin");
  const own = await clerk.users.getOrganizationMembershipList({ userId: nora.id });
  assert.deepEqual(own.data.map((m) => m.organization.slug), ["acme"]);
  await clerk.organizations.deleteOrganizationMembership(member);
  assert.equal((await clerk.users.getOrganizationMembershipList({ userId: nora.id })).totalCount, 0);
});

test("invitations", async () => {
  const organizationId = await bySlug("globex");
  const invite = (emailAddress, role = "org:member") =>
    clerk.organizations.createOrganizationInvitation({ organizationId, emailAddress, role });
  const made = await invite("new@globex.example");
  assert.equal(made.status, "pending");
  const pending = await clerk.organizations.getOrganizationInvitationList({ organizationId, status: ["pending"] });
  assert.deepEqual(pending.data.map((i) => i.emailAddress), ["new@globex.example"]);
  const [admin] = (await clerk.users.getUserList({ query: "gus" })).data;
  const revoked = await clerk.organizations.revokeOrganizationInvitation({
    organizationId, invitationId: made.id, requestingUserId: admin.id,
  });
  assert.equal(revoked.status, "revoked");
  assert.equal((await refused(422, invite("not an address"))).meta.paramName, "email_address");
});

test("users", async () => {
  const { data, totalCount } = await clerk.users.getUserList({ orderBy: "+first_name" });
  assert.equal(totalCount, 4);
  assert.deepEqual(data.map((u) => u.firstName), ["Ada", "Gus", "Max", "Nora"]);
  assert.equal(await clerk.users.getCount(), 4);
  assert.equal((await clerk.users.getUser(data[0].id)).primaryEmailAddress.emailAddress, "ada@acme.example");

  const made = await clerk.users.createUser({ emailAddress: ["ida@example.com"], skipPasswordRequirement: true });
  assert.equal((await clerk.users.updateUser(made.id, { firstName: "Ida" })).firstName, "Ida");
  await clerk.users.deleteUser(made.id);
  assert.equal((await refused(404, clerk.users.getUser(made.id))).code, "resource_not_found");
});

test("roles and permissions", async () => {
  const roles = await clerk.organizationRoles.getOrganizationRoleList({ orderBy: "+key" });
  assert.deepEqual(roles.data.map((r) => r.key), ["org:admin", "org:guest", "org:member"]);
  assert.ok(roles.data[0].permissions.some((p) => p.key === "org:documents:delete"));
  const permissions = await clerk.organizationPermissions.getOrganizationPermissionList({ query: "documents" });
  assert.ok(permissions.totalCount > 0);
});

test("errors carry their code", async () => {
  assert.equal((await refused(404, clerk.users.getUser("user_nobody"))).code, "resource_not_found");
  const form = await refused(422, clerk.organizations.createOrganization({ name: "" }));
  assert.deepEqual([form.code, form.meta.paramName], ["form_param_nil", "name"]);
  const stranger = createClerkClient({ secretKey: "sk_test_wrong", apiUrl, telemetry: { disabled: true } });
  assert.equal((await refused(401, stranger.users.getUserList())).code, "clerk_key_invalid");
});

test("a session token", async () => {
  const claims = await verifyToken(token, { secretKey, apiUrl });
  assert.equal(claims.o.slg, "acme");
  await assert.rejects(verifyToken(`${token.slice(0, -8)}AAAAAAAA`, { secretKey, apiUrl }));
});
