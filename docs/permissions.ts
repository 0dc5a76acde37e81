// Written by `go generate ./...` from schema.graphqls. Do not edit.

/** Every permission that the API asks for, for has({ permission }) and viewer.can. */
export type Permission =
  | "org:audit_log:read"
  | "org:documents:create"
  | "org:documents:delete"
  | "org:documents:read"
  | "org:documents:update"
  | "org:sys_memberships:manage"
  | "org:sys_memberships:read"
  | "org:sys_profile:delete"
  | "org:sys_profile:manage";
