//! A rule of a role.

use super::{Permission, ResourceType};
use crate::id::RuleId;

/// A rule, exactly as it was sent: lists in order, names that mean nothing here included. Those allow nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The rule's identity.
    pub id: RuleId,
    /// Names of [resource types](ResourceType); `*` stands for all.
    pub resources: Vec<String>,
    /// Which ones: for secrets a [path pattern](crate::pattern::PathPattern), for others an identity or a slug; `*` stands
    /// for all. An empty list means everything in scope.
    pub resource_identities: Vec<String>,
    /// Names of [permissions](Permission); `*` stands for all.
    pub permissions: Vec<String>,
}

impl Rule {
    /// A rule that allows everything.
    #[must_use]
    pub fn everything(id: RuleId) -> Self {
        Self { id, resources: vec!["*".to_owned()], resource_identities: Vec::new(), permissions: vec!["*".to_owned()] }
    }

    /// Whether the rule speaks of this type of resource.
    #[must_use]
    pub fn names_resource(&self, kind: ResourceType) -> bool {
        names(&self.resources, kind.as_str())
    }

    /// Whether the rule gives this permission.
    #[must_use]
    pub fn names_permission(&self, permission: Permission) -> bool {
        names(&self.permissions, permission.as_str())
    }
}

fn names(list: &[String], name: &str) -> bool {
    list.iter().any(|entry| entry == "*" || entry == name)
}
