//! Roles, their rules and bindings; why something is allowed or denied.

use super::operation::Operation;
use super::parameters::{NAMED, filters};
use serde_json::{Value, json};
use strongroom_api::{Binding, Explain, Explanation, NewBinding, NewNamed, NewRule, Role, Rule};

fn role() -> Value {
    json!({
        "identity": "role-01", "name": "Readers", "slug": "readers", "createdAt": "2030-01-15T08:00:00Z",
        "updatedAt": "2030-01-15T08:00:00Z", "objectVersion": 1, "isReadOnly": false, "system": false, "rules": [],
    })
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("GET /v1/iam/roles", "listRoles", "Lists roles with their rules")
            .about("Permission `list` on `organisation_role`.")
            .organisation()
            .parameters(filters(&NAMED))
            .gives_list::<Role>("The roles.")
            .example(200, json!([role()])),
        Operation::new("POST /v1/iam/roles", "createRole", "Creates a role without rules")
            .about("Permission `create` on `organisation_role`.")
            .organisation()
            .takes::<NewNamed>(json!({"name": "Readers"}))
            .gives::<Role>(201, "The role.")
            .example(201, role()),
        Operation::new("GET /v1/iam/roles/{id}", "getRole", "Shows a role with its rules")
            .about("Permission `read` on `organisation_role`.")
            .organisation()
            .gives::<Role>(200, "The role."),
        Operation::new("DELETE /v1/iam/roles/{id}", "deleteRole", "Deletes a role, and its bindings")
            .about("Permission `delete` on `organisation_role`.")
            .organisation()
            .takes_nothing()
            .gives_nothing(204, "It is gone."),
        Operation::new("POST /v1/iam/roles/{id}/rules", "addRule", "Adds a rule to a role")
            .about("Nobody gives what they lack. Permission `update` on `organisation_role`.")
            .organisation()
            .takes::<NewRule>(json!({"resources": ["secret"], "resourceIdentities": ["/app/production/*"], "permissions": ["getSecretValue"]}))
            .gives::<Rule>(201, "The rule."),
        Operation::new("DELETE /v1/iam/roles/{id}/rules/{part}", "deleteRule", "Removes a rule from a role")
            .about("Permission `update` on `organisation_role`.")
            .organisation()
            .takes_nothing()
            .gives_nothing(204, "It is gone."),
        Operation::new("GET /v1/iam/roles/{id}/bindings", "listBindings", "Lists to whom a role is bound")
            .about("Permission `read` on `organisation_role`.")
            .organisation()
            .parameters(filters(&NAMED))
            .gives_list::<Binding>("The bindings."),
        Operation::new("POST /v1/iam/roles/{id}/bindings", "bindRole", "Binds a role to a user, a team or a service account")
            .about("Exactly one of the three is given. Nobody gives what they lack. Permission `update` on `organisation_role`.")
            .organisation()
            .takes::<NewBinding>(json!({"name": "web", "teamIdentity": "team-01"}))
            .gives::<Binding>(201, "The binding."),
        Operation::new("DELETE /v1/iam/roles/{id}/bindings/{part}", "unbindRole", "Removes a binding")
            .about("Permission `update` on `organisation_role`.")
            .organisation()
            .takes_nothing()
            .gives_nothing(204, "It is gone."),
        Operation::new("POST /v1/iam/explain", "explain", "Tells why something is allowed or denied")
            .about("Either `requestId` of a denied call, or `operation` and what it is done to. Everybody may ask about themselves.")
            .organisation()
            .takes::<Explain>(json!({"operation": "secret.value.read", "path": "/app/production/db", "region": "nl-01"}))
            .gives::<Explanation>(200, "What decides, and what would have to change.")
            .refuses(&[404]),
    ]
}
