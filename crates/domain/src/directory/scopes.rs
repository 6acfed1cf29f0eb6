use crate::principal::CredentialScopes;

/// Scopes of a credential, as they were sent. Two open this API; two are for other services of the same clients and allow nothing
/// here. An empty list allows both that open this API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Vec<String>);

/// The scope that allows what changes nothing.
const READ: &str = "api:read";
/// The scope that allows everything else.
const WRITE: &str = "api:write";
const KNOWN: [&str; 4] = [READ, WRITE, "kubernetes", "objectStorage"];

impl Scopes {
    /// Checks that every scope is known: `api:read`, `api:write`, `kubernetes` or `objectStorage`.
    ///
    /// # Errors
    /// The first that isn't, as it was sent.
    pub fn new(scopes: Vec<String>) -> Result<Self, String> {
        match scopes.iter().find(|scope| !KNOWN.contains(&scope.as_str())) {
            Some(unknown) => Err(unknown.clone()),
            None => Ok(Self(scopes)),
        }
    }

    /// As they were sent.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// What they allow here; an empty list allows both reading and writing.
    #[must_use]
    pub fn allowed(&self) -> CredentialScopes {
        let has = |scope: &str| self.0.is_empty() || self.0.iter().any(|it| it == scope);
        CredentialScopes { read: has(READ), write: has(WRITE) }
    }
}

#[cfg(test)]
mod tests {
    use super::Scopes;
    use crate::principal::CredentialScopes;

    fn scopes(list: &[&str]) -> Result<Scopes, String> {
        Scopes::new(list.iter().map(|it| (*it).to_owned()).collect())
    }

    #[test]
    fn empty_means_both_and_foreign_ones_allow_nothing() {
        let allowed = |list: &[&str]| scopes(list).expect("known").allowed();
        assert_eq!(allowed(&[]), CredentialScopes::ALL);
        assert_eq!(allowed(&["api:read"]), CredentialScopes { read: true, write: false });
        assert_eq!(allowed(&["api:write", "api:read"]), CredentialScopes::ALL);
        assert_eq!(allowed(&["kubernetes"]), CredentialScopes { read: false, write: false });
        assert_eq!(scopes(&["api:read", "admin"]), Err("admin".to_owned()));
    }
}
