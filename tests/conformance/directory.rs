//! What requests about identities need: made as an administrator would, without a word about the wire.

use crate::{Replay, text};
use serde_json::{Value, json};

impl Replay {
    /// A user who is a member of the organisation; gives their identity.
    #[track_caller]
    pub(crate) fn user(&self, name: &str) -> String {
        let email = format!("{}@example.com", name.to_lowercase());
        text(&self.client.post("/v1/users", &json!({"name": name, "email": email})).ok(201), "subject")
    }

    /// A personal access token of a user.
    #[track_caller]
    pub(crate) fn token_of(&self, user: &str) -> String {
        let address = format!("/v1/users/{user}/personal-access-tokens");
        text(&self.client.post(address, &json!({"name": "first"})).ok(201), "token")
    }

    /// The owner, whose token the requests carry.
    #[track_caller]
    pub(crate) fn owner(&self) -> String {
        text(&self.client.get("/v1/me").ok(200), "identity")
    }

    /// An object with nothing but a name; gives its identity.
    #[track_caller]
    pub(crate) fn named(&self, collection: &str, name: &str) -> String {
        text(&self.client.post(collection, &json!({"name": name})).ok(201), "identity")
    }

    /// A role with one rule over everything of these types.
    #[track_caller]
    pub(crate) fn role(&self, name: &str, resources: &[&str], permissions: &[&str]) -> String {
        let role = self.named("/v1/iam/roles", name);
        let rule = json!({"resources": resources, "resourceIdentities": [], "permissions": permissions});
        let _ = self.client.post(format!("/v1/iam/roles/{role}/rules"), &rule).ok(201);
        role
    }

    /// Binds a role; `to` is the member that names to whom.
    #[track_caller]
    pub(crate) fn bind(&self, role: &str, to: &str, identity: &str) -> Value {
        self.client.post(format!("/v1/iam/roles/{role}/bindings"), &json!({"name": "bound", to: identity})).ok(201)
    }
}
