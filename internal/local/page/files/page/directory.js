// What the local Clerk holds, and the questions that the page has about it.

export class Directory {
  /** Where slugs are switched off, an organization goes by its id. */
  constructor(state) {
    this.state = {
      ...state,
      organizations: state.organizations.map((organization) => ({ ...organization, slug: organization.slug || organization.id })),
      memberships: state.memberships.map((membership) => ({ ...membership, organization: membership.organization || membership.organizationId })),
    };
  }

  get people() {
    return this.state.users;
  }

  get organizations() {
    return this.state.organizations;
  }

  get roles() {
    return this.state.roles;
  }

  person(handle) {
    return this.state.users.find((user) => user.handle === handle);
  }

  /** The person with this address, if they are of this machine. */
  withAddress(email) {
    return this.state.users.find((user) => user.email.toLowerCase() === email?.toLowerCase());
  }

  organization(slug) {
    return this.state.organizations.find((organization) => organization.slug === slug);
  }

  membership(organization, handle) {
    return this.state.memberships.find((m) => m.organization === organization && m.user === handle);
  }

  membershipsOf(handle) {
    return this.state.memberships.filter((m) => m.user === handle);
  }

  /** First names are enough here: "Max", "Nobody". */
  nameOf(handle) {
    return handle ? (this.person(handle)?.firstName ?? handle) : 'Nobody';
  }

  organizationName(slug) {
    return this.organization(slug)?.name ?? slug;
  }

  /** "Max in Acme", "Nora without an organization", "Nobody". */
  describe(handle, slug) {
    if (!handle) return 'nobody';
    return slug ? `${this.nameOf(handle)} in ${this.organizationName(slug)}` : `${this.nameOf(handle)}, no organization`;
  }

  /** Somebody whose role in the organization has the permission. */
  somebodyWith(permission, organization) {
    const holds = (key) => this.state.roles.find((role) => role.key === key)?.permissions.includes(permission);
    return this.state.memberships.find((m) => m.organization === organization && holds(m.role))?.user;
  }

  /** An organization other than this one, with somebody in it who can read its documents. */
  anotherOrganization(slug) {
    for (const organization of this.state.organizations.toReversed()) {
      if (organization.slug === slug) continue;
      const reader = this.somebodyWith('org:documents:read', organization.slug);
      if (reader) return { slug: organization.slug, reader };
    }
    return undefined;
  }

  /** Every permission that some role has, in the order of Clerk's dashboard. */
  permissions() {
    return [...new Set(this.state.roles.flatMap((role) => role.permissions))];
  }
}
