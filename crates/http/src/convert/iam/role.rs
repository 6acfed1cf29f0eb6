use super::named;
use strongroom_api::{Role, Rule};

pub(crate) fn role(role: &strongroom_domain::directory::Role) -> Role {
    Role {
        named: named(role.id, &role.named),
        is_read_only: role.read_only,
        system: role.read_only,
        rules: role.rules.iter().map(rule).collect(),
    }
}

pub(crate) fn rule(rule: &strongroom_domain::iam::Rule) -> Rule {
    Rule {
        identity: rule.id.to_string(),
        resources: rule.resources.clone(),
        resource_identities: rule.resource_identities.clone(),
        permissions: rule.permissions.clone(),
        note: rule.note.clone(),
    }
}
