//! What a project holds.

use crate::engine::Engine;
use crate::error::Error;
use core::fmt;
use strongroom_domain::directory::Project;
use strongroom_domain::port::Freshness;
use strongroom_domain::scope::Scope;

/// Up to how many secrets of a region are counted.
const MAX_COUNTED: u32 = 100;

/// How much a project holds; displays as a phrase, "2 secrets and 1 KMS key".
#[derive(Default)]
pub(super) struct Contents {
    projects: usize,
    secrets: usize,
    /// Whether there are more secrets than were counted.
    more_secrets: bool,
    keys: u64,
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = |one: bool| if one { "" } else { "s" };
        let at_least = if self.more_secrets { "at least " } else { "" };
        let parts = [
            (self.projects > 0).then(|| format!("{} project{} below it", self.projects, s(self.projects == 1))),
            (self.secrets > 0).then(|| format!("{at_least}{} secret{}", self.secrets, s(self.secrets == 1))),
            (self.keys > 0).then(|| format!("{} KMS key{}", self.keys, s(self.keys == 1))),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(" and "))
    }
}

impl Engine {
    /// What a project holds, in any region, beside so many projects `below` it; `None` for nothing.
    pub(super) async fn contents_of(&self, project: &Project, below: usize) -> Result<Option<Contents>, Error> {
        let mut contents = Contents { projects: below, ..Contents::default() };
        for region in self.cache.regions(Freshness::Latest).await?.iter() {
            let scope = Scope { organisation: project.organisation, region: region.id, project: Some(project.id) };
            let secrets = self.ports.secrets.list(&scope, "/", None, MAX_COUNTED).await?.len();
            contents.more_secrets |= secrets == MAX_COUNTED as usize;
            contents.secrets += secrets;
            let keys = self.ports.keys.counts(&scope, self.ports.clock.now()).await?;
            contents.keys += keys.active + keys.disabled + keys.pending_deletion + keys.purge_due;
        }
        let is_empty = contents.projects == 0 && contents.secrets == 0 && contents.keys == 0;
        Ok((!is_empty).then_some(contents))
    }
}

#[cfg(test)]
mod tests {
    use super::Contents;

    #[test]
    fn it_is_told_in_words() {
        let of = |projects, secrets, more_secrets, keys| Contents { projects, secrets, more_secrets, keys }.to_string();
        assert_eq!(of(1, 0, false, 0), "1 project below it");
        assert_eq!(of(0, 1, false, 2), "1 secret and 2 KMS keys");
        assert_eq!(of(2, 100, true, 1), "2 projects below it and at least 100 secrets and 1 KMS key");
    }
}
