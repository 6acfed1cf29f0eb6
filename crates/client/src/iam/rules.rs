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
    /// Any; [not found](Error::is_not_found) when there is no such role; `read_only` (400) when it is built in; `escalation` (400) when the
    /// caller doesn't hold the rule.
    pub async fn create(&self, rule: &NewRule) -> Result<Rule, Error> {
        self.client.write(Method::POST, &["v1", "iam", "roles", &self.role, "rules"], rule).await
    }

    /// Removes the rule of this identity.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such role, or no such rule of it; `read_only` (400) when it is built in.
    pub async fn delete(&self, rule: &str) -> Result<(), Error> {
        self.client.remove(&["v1", "iam", "roles", &self.role, "rules", rule]).await
    }
}
