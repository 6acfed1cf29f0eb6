use super::{Expiry, Named, Scopes};
use crate::document::Document;
use crate::id::{FederatedIdentityId, OrganisationId, ProviderId, ServiceAccountId};
use crate::principal::Principal;
use core::fmt;

macro_rules! statuses {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// The name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The one of this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

statuses! {
    /// Whether a provider's tokens are taken.
    ProviderStatus {
        /// They are.
        Active = "active",
        /// They are not, for now.
        Inactive = "inactive",
    }
}

statuses! {
    /// Whether a federated identity opens anything.
    FederatedIdentityStatus {
        /// It does.
        Active = "active",
        /// Not for now.
        Inactive = "inactive",
        /// Its time has ended.
        Expired = "expired",
        /// It was taken back for good.
        Revoked = "revoked",
    }
}

statuses! {
    /// How the audiences of a token must meet the trusted ones.
    AudienceMatch {
        /// The token names exactly the trusted ones.
        Exact = "exact",
        /// The token names at least one of them.
        Any = "any",
        /// The token names all of them.
        All = "all",
    }
}

/// An issuer whose tokens are taken in exchange in one organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityProvider {
    /// The provider.
    pub id: ProviderId,
    /// Whose.
    pub organisation: OrganisationId,
    /// What it is called.
    pub named: Named,
    /// The issuer, compared byte by byte with `iss`: 1 to 1,024 bytes without spaces and control characters; unique in the organisation.
    pub issuer: String,
    /// Where its keys are; `None` for where its discovery document says.
    pub jwks_uri: Option<String>,
    /// Its keys themselves (a JWK set, RFC 7517), when they aren't to be fetched.
    pub local_jwks: Option<String>,
    /// Whether its tokens are taken.
    pub status: ProviderStatus,
    /// Who made it.
    pub created_by: Option<Principal>,
}

/// A subject pattern that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a subject needs at least one character other than `*`, and has at most 512")]
pub struct SubjectPatternError;

/// Which subjects of a provider are meant: `*` stands for any characters, also none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectPattern(String);

impl SubjectPattern {
    /// Checks a pattern.
    ///
    /// # Errors
    /// [`SubjectPatternError`] for one without a literal part, or too long.
    pub fn new(pattern: String) -> Result<Self, SubjectPatternError> {
        let literal = pattern.chars().any(|c| c != '*');
        if literal && pattern.chars().count() <= 512 { Ok(Self(pattern)) } else { Err(SubjectPatternError) }
    }

    /// As it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a subject is meant: `*` stands for any characters, also none; everything else is compared byte by byte. Takes time
    /// proportional to the product of both lengths at the most.
    #[must_use]
    pub fn matches(&self, subject: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = subject.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

impl fmt::Display for SubjectPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a foreign subject becomes here: a service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FederatedIdentity {
    /// The federated identity.
    pub id: FederatedIdentityId,
    /// In which organisation.
    pub organisation: OrganisationId,
    /// What it is called.
    pub named: Named,
    /// The service account that such a subject becomes.
    pub service_account: ServiceAccountId,
    /// The provider that vouches for the subject.
    pub provider: ProviderId,
    /// Which of the provider's subjects (`sub`) are meant.
    pub subject: SubjectPattern,
    /// The audiences (`aud`) that are trusted, as they were sent: at most 64, each of 1 to 1,024 bytes, compared byte by byte. Where none
    /// is trusted, no token is taken.
    pub audiences: Vec<String>,
    /// How a token's audiences must meet the trusted ones.
    pub audience_match: AudienceMatch,
    /// What the tokens allow that are given in exchange; empty for reading and writing.
    pub scopes: Scopes,
    /// Whether it opens anything. Only an active one does, and only before it [ends](Self::expires).
    pub status: FederatedIdentityStatus,
    /// The moment from which on it opens nothing; `None` for never.
    pub expires: Option<Expiry>,
    /// Claims that must hold, with their values, as they were sent: at most 64, a name of 1 to 1,024 bytes and a value of at most 4 KiB
    /// each. What a value must be like: [`accepts`](Self::accepts).
    pub conditions: Vec<(String, Document)>,
}

#[cfg(test)]
mod tests {
    use super::SubjectPattern;
    use proptest::prelude::*;

    fn pattern(text: &str) -> SubjectPattern {
        SubjectPattern::new(text.to_owned()).expect("legal")
    }

    #[test]
    fn stars_match_any_characters() {
        for (text, subject, expected) in [
            ("repo:a/b:ref:*", "repo:a/b:ref:refs/heads/main", true),
            ("repo:a/b:*", "repo:a/bc:ref", false),
            ("repo:a/*:env:prod", "repo:a/b:env:prod", true),
            ("repo:a/*:env:prod", "repo:a/b:env:prod2", false),
            ("*x", "x", true),
            ("x", "xx", false),
            ("ab*ba", "aba", false),
            ("a**b", "ab", true),
        ] {
            assert_eq!(pattern(text).matches(subject), expected, "{text} {subject}");
        }
        for bad in ["", "*", "***", &"x".repeat(513)] {
            assert!(SubjectPattern::new(bad.to_owned()).is_err(), "{bad}");
        }
    }

    /// By trying every way to spend the stars.
    fn naive(pattern: &[char], subject: &[char]) -> bool {
        match pattern.split_first() {
            None => subject.is_empty(),
            Some(('*', rest)) => (0..=subject.len()).any(|skip| naive(rest, &subject[skip..])),
            Some((c, rest)) => subject.split_first().is_some_and(|(d, after)| c == d && naive(rest, after)),
        }
    }

    proptest! {
        #[test]
        fn matches_as_a_naive_matcher_does(text in "[ab*]{1,7}", subject in "[abä]{0,7}") {
            prop_assume!(text.chars().any(|c| c != '*'));
            let (p, s): (Vec<_>, Vec<_>) = (text.chars().collect(), subject.chars().collect());
            prop_assert_eq!(pattern(&text).matches(&subject), naive(&p, &s));
        }
    }
}
