//! The key of a secret, as the operations that use it ask for it.

use super::beyond::Stop;
use super::case::Case;
use super::decide::{Decision, Refusal};
use super::view::Stage;
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::secret::Granted;
use crate::session::Session;
use std::sync::Arc;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::{Effective, Explanation, Grants, Permission, Question, Target, explain};
use strongroom_domain::id::{KeyId, RuleId};
use strongroom_domain::kms::Key;
use strongroom_domain::path::SecretPath;
use strongroom_domain::port::Freshness;
use strongroom_domain::secret::Secret;

impl Engine {
    /// Whether the secret's key stands in the way, by the check of the real call.
    pub(super) async fn key_stop(
        &self,
        session: &Session,
        path: &SecretPath,
        secret: &Secret,
        permission: Permission,
        decision: &Decision,
    ) -> Result<Option<Stop>, Error> {
        let Some(rule) = decision.rule else { return Ok(None) };
        let granted = granted(self, session, path, rule);
        let error = match granted.usable_key(secret, permission, Freshness::Latest).await {
            Ok(_) => return Ok(None),
            Err(error) => error,
        };
        match error.code() {
            Code::KeyForbidden => {
                let slug = self.cache.key(secret.key, Freshness::Latest).await?.map(|key| key.slug.clone());
                let (key, slug) = (secret.key, slug.unwrap_or_default());
                let reason = format!("No rule allows `{permission}` on the secret's KMS key {key}.");
                Ok(Some((Stage::KeyPermission, key_refusal(session, reason, permission, key, &slug))))
            }
            Code::KeyUnusable | Code::KeyPendingDeletion => Ok(Some((Stage::KeyState, Refusal::heard(&error)))),
            _ => Err(error),
        }
    }

    pub(super) async fn on_new_secret(
        &self,
        case: &Case,
        session: &Session,
        path: &SecretPath,
        reading: Option<&Effective>,
        decision: Decision,
    ) -> Result<Decision, Error> {
        let stopped = |decision: Decision, stage, refusal| Decision { stage, refusal: Some(refusal), ..decision };
        if self.ports.secrets.find(&session.scope(), path).await?.is_some() {
            let reason = "A secret lives at this path already.".to_owned();
            let remedy = "Put a new version instead, or delete it first.".to_owned();
            return Ok(stopped(decision, Stage::Existence, Refusal::new(reason, Some(remedy))));
        }
        let Some(id) = case.key else {
            let unchecked = "The key wasn't looked at; name it with `kmsKeyIdentity`.".to_owned();
            return Ok(match self.on_kms(session) {
                Some((stage, refusal)) => stopped(decision, stage, refusal),
                None => Decision { unchecked: Some(unchecked), ..decision },
            });
        };
        let any_of = [Permission::Encrypt, Permission::Update];
        let key = self.cache.key(id, Freshness::Latest).await?;
        let is_there =
            |key: &Arc<Key>| session.scope().may_use_key_of(&key.spec.scope) && !key.is_purged(self.ports.clock.now());
        let key = key.filter(is_there);
        let usable = match key {
            Some(key) => {
                let may_encrypt = |grants: &Grants| grants.on_key(&any_of, id, &key.slug);
                let checked = self.limits.check_key_permission;
                (!checked || self.allowed(session, may_encrypt).await?.is_some()).then_some(key)
            }
            None => None,
        };
        let Some(key) = usable else {
            // One text, whether the key is unknown or not for the principal.
            let reason =
                format!("There is no KMS key {id} in this region and scope, or no rule allows `encrypt` on it.");
            let refusal = key_refusal(session, reason, Permission::Encrypt, id, "");
            return Ok(stopped(decision, Stage::KeyPermission, refusal));
        };
        let readable = |reading: &Effective| reading.grants().on_key(&[Permission::Read], id, &key.slug).is_some();
        if !reading.is_some_and(readable) {
            let unchecked = "The state of the key isn't told to those who may not `read` it.".to_owned();
            return Ok(Decision { unchecked: Some(unchecked), ..decision });
        }
        Ok(match self.new_key_stop(session, &key) {
            Some((stage, refusal)) => stopped(decision, stage, refusal),
            None => decision,
        })
    }

    fn new_key_stop(&self, session: &Session, key: &Key) -> Option<Stop> {
        if !key.spec.key_type.wraps_data_keys() {
            let reason = format!("Keys of type {} cannot wrap data keys.", key.spec.key_type);
            let remedy = "Bind the secret to a symmetric key.".to_owned();
            return Some((Stage::KeyState, Refusal::new(reason, Some(remedy))));
        }
        match key.check_usable() {
            Ok(()) => self.on_kms(session),
            Err(error) => Some((Stage::KeyState, Refusal::heard(&error.into()))),
        }
    }
}

/// The principal, as the second step of a real call would know them. It makes no record of its own.
fn granted<'a>(engine: &'a Engine, session: &'a Session, path: &SecretPath, rule: RuleId) -> Granted<'a> {
    Granted { engine, session, path: path.clone(), action: Action::IamExplain, rule }
}

/// A refusal for want of a rule on a key; `slug` is empty when the key isn't to be told from one that isn't there.
fn key_refusal(session: &Session, reason: String, permission: Permission, key: KeyId, slug: &str) -> Refusal {
    let question = Question { target: Target::Key(key, slug), any_of: &[permission, Permission::Update] };
    let denial = match explain(&session.effective, session.inner.access.bound(), &question) {
        Explanation::Denied(denial) => Some(denial),
        Explanation::Allowed { .. } => None,
    };
    Refusal { denial, ..Refusal::new(reason, None) }
}
