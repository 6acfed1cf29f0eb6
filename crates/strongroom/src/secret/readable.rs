//! Which entries of a list a caller may see.

use crate::engine::Engine;
use crate::error::Error;
use crate::session::Session;
use strongroom_domain::iam::Permission;
use strongroom_domain::path::Directory;
use strongroom_domain::secret::Secret;

/// How many secrets one read of the store gives while looking for one that the caller may read.
const LOOKED_AT_ONCE: u32 = 500;

pub(crate) fn is_readable(session: &Session, secret: &Secret) -> bool {
    session.grants().on_secret(Permission::Read, &secret.path).is_some()
}

impl Engine {
    /// Whether the caller may read at least one secret below the directory, of which at least one lies there.
    pub(crate) async fn is_visible(&self, session: &Session, directory: &Directory) -> Result<bool, Error> {
        if session.grants().covers_below(Permission::Read, directory).is_some() {
            return Ok(true);
        }
        for prefix in session.grants().literal_prefixes_below(Permission::Read, directory) {
            let mut after: Option<String> = None;
            loop {
                let page = self.ports.secrets.list(&session.scope, &prefix, after.as_deref(), LOOKED_AT_ONCE).await?;
                if page.iter().any(|secret| is_readable(session, secret)) {
                    return Ok(true);
                }
                if page.len() < LOOKED_AT_ONCE as usize {
                    break;
                }
                after = page.last().map(|secret| secret.path.as_str().to_owned());
            }
        }
        Ok(false)
    }
}
