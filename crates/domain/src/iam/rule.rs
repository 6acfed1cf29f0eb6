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
    /// What it is for, in its maker's words; may be empty.
    pub note: String,
}

impl Rule {
    /// A rule that allows everything.
    #[must_use]
    pub fn everything(id: RuleId) -> Self {
        Self {
            id,
            resources: vec!["*".to_owned()],
            resource_identities: Vec::new(),
            permissions: vec!["*".to_owned()],
            note: String::new(),
        }
    }

    /// About how many bytes of memory it takes, for bounding roles and caches.
    #[must_use]
    pub fn weight(&self) -> usize {
        let texts = self.resources.iter().chain(&self.resource_identities).chain(&self.permissions);
        128 + self.note.len() + texts.map(|text| 24 + text.len()).sum::<usize>()
    }

    /// Whether the rule speaks of this type of resource.
    #[must_use]
    pub fn names_resource(&self, kind: ResourceType) -> bool {
        names(&self.resources, kind.as_str())
    }

    /// Whether the rule speaks of all resources of its types.
    #[must_use]
    pub fn speaks_of_everything(&self) -> bool {
        self.resource_identities.is_empty() || self.resource_identities.iter().any(|entry| entry == "*")
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
