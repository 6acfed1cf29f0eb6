//! The roles that every organisation has from the start.

use super::{Named, Role};
use crate::iam::Rule;
use crate::id::{OrganisationId, RoleId, RuleId};
use crate::metadata::Metadata;
use crate::port::IdGenerator;
use crate::time::Timestamp;

/// The role that allows everything but what only owners may.
pub const ORG_ADMIN: &str = "org-admin";
/// The role that reads the audit log.
pub const ORG_AUDITOR: &str = "org-auditor";

struct Template {
    name: &'static str,
    resource: &'static str,
    permissions: &'static [&'static str],
}

const SECRET: &str = "secret";
const KEY: &str = "kms_key";

const TEMPLATES: &[Template] = &[
    Template { name: ORG_ADMIN, resource: "*", permissions: &["*"] },
    Template { name: ORG_AUDITOR, resource: "audit_log", permissions: &["list", "read"] },
    Template { name: "secrets:ReadAccess", resource: SECRET, permissions: &["read", "list"] },
    Template {
        name: "secrets:FullAccess",
        resource: SECRET,
        permissions: &["create", "read", "update", "delete", "list", "getSecretValue", "putSecretValue"],
    },
    Template { name: "kms:ReadAccess", resource: KEY, permissions: &["read", "list"] },
    Template {
        name: "kms:FullAccess",
        resource: KEY,
        permissions: &[
            "create",
            "read",
            "update",
            "delete",
            "list",
            "encrypt",
            "decrypt",
            "sign",
            "verify",
            "hmac",
            "verify-hmac",
            "rotate",
            "export",
        ],
    },
    Template { name: "kms:Encrypt", resource: KEY, permissions: &["encrypt"] },
    Template { name: "kms:Decrypt", resource: KEY, permissions: &["decrypt"] },
    Template { name: "kms:Sign", resource: KEY, permissions: &["sign"] },
    Template { name: "kms:Verify", resource: KEY, permissions: &["verify"] },
    Template { name: "kms:HMAC", resource: KEY, permissions: &["hmac"] },
    Template { name: "kms:VerifyHMAC", resource: KEY, permissions: &["verify-hmac"] },
    Template { name: "kms:Rotate", resource: KEY, permissions: &["rotate"] },
    Template { name: "kms:Export", resource: KEY, permissions: &["export"] },
];

/// The built-in roles of a new organisation. Their slug is their name; nobody can change them.
#[must_use]
pub fn built_in_roles(ids: &dyn IdGenerator, organisation: OrganisationId, at: Timestamp) -> Vec<Role> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let role = |template: &Template| Role {
        id: RoleId::new(ids.next()),
        organisation,
        named: Named::new(template.name.to_owned(), template.name.to_owned(), Metadata::default(), at),
        read_only: true,
        rules: vec![Rule {
            id: RuleId::new(ids.next()),
            resources: owned(&[template.resource]),
            resource_identities: Vec::new(),
            permissions: owned(template.permissions),
            note: String::new(),
        }],
    };
    TEMPLATES.iter().map(role).collect()
}
