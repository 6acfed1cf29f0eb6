use crate::{Client, Error};
use reqwest::Method;
use strongroom_api::{NewRule, Rule};

/// The rules of a role. Made by [`Iam::rules`](super::Iam::rules).
#[derive(Clone)]
pub struct Rules {
    pub(super) client: Client,
    pub(super) role: String,
}

impl Rules {
    /// Adds a rule, which the caller must hold.
    ///
    /// # Errors
    /// Any.
    pub async fn create(&self, rule: &NewRule) -> Result<Rule, Error> {
        self.client.write(Method::POST, &["v1", "iam", "roles", &self.role, "rules"], rule).await
    }

    /// Removes the rule of this identity.
    ///
    /// # Errors
    /// Any.
    pub async fn delete(&self, rule: &str) -> Result<(), Error> {
        self.client.remove(&["v1", "iam", "roles", &self.role, "rules", rule]).await
    }
}
