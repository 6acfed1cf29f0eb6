//! Identifiers: immutable, made once, never reused.

use core::fmt;
use core::str::FromStr;
use data_encoding::BASE32_DNSSEC;
use uuid::Uuid;

/// A text that isn't an identity of the wanted kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identity of the form {prefix}-<26 characters of 0-9 and a-v>")]
pub struct ParseIdentityError {
    prefix: &'static str,
}

/// How many characters of base32 an identifier has.
const CODE_LEN: usize = 26;

fn write(f: &mut fmt::Formatter<'_>, prefix: &str, id: Uuid) -> fmt::Result {
    let mut code = [0; CODE_LEN];
    BASE32_DNSSEC.encode_mut(id.as_bytes(), &mut code);
    f.write_str(prefix)?;
    f.write_str("-")?;
    f.write_str(core::str::from_utf8(&code).map_err(|_| fmt::Error)?)
}

fn parse(text: &str, prefix: &'static str) -> Result<Uuid, ParseIdentityError> {
    let error = ParseIdentityError { prefix };
    let code = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-')).ok_or(error)?;
    // The decoder takes upper case too; an identity has one spelling only.
    if code.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(error);
    }
    let bytes = BASE32_DNSSEC.decode(code.as_bytes()).map_err(|_| error)?;
    Uuid::from_slice(&bytes).map_err(|_| error)
}

/// Whether a name that a caller wrote means the object of this identity and slug. What has the form of an identity means one, whatever slug
/// somebody chose.
#[must_use]
pub fn is_named<T: FromStr + PartialEq>(name: &str, id: &T, slug: &str) -> bool {
    name.parse().is_ok_and(|named: T| named == *id) || (name == slug && !looks_like_identity(name))
}

/// Whether a text has the form of an identity of any kind: letters, a hyphen, and 26 characters of base32hex. Names that callers
/// choose, such as slugs, may have it too; where both can stand, such a text means an identity only.
#[must_use]
pub fn looks_like_identity(text: &str) -> bool {
    text.split_once('-').is_some_and(|(prefix, code)| {
        let letters = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_lowercase());
        letters && code.len() == 26 && code.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'v'))
    })
}

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        ///
        #[doc = concat!("Written `", $prefix, "-` and 26 characters of base32hex (RFC 4648 section 7, lower case).")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The prefix of the written form, without the hyphen.
            pub const PREFIX: &'static str = $prefix;

            /// Wraps a UUID that an [`IdGenerator`](crate::port::IdGenerator) made, or a store kept.
            #[must_use]
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID inside.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write(f, $prefix, self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdentityError;

            fn from_str(text: &str) -> Result<Self, ParseIdentityError> {
                parse(text, $prefix).map(Self)
            }
        }
    )*};
}

identifiers! {
    /// An organisation: the tenant.
    OrganisationId = "o";
    /// A project inside an organisation.
    ProjectId = "prj";
    /// A region.
    RegionId = "reg";
    /// A secret. Internal: the path is what callers know; a secret made anew at a path has another id.
    SecretId = "sec";
    /// A KMS key.
    KeyId = "kms";
    /// A user.
    UserId = "u";
    /// A service account.
    ServiceAccountId = "sa";
    /// A stored credential: a token or an access credential.
    CredentialId = "cred";
    /// A rule of a role.
    RuleId = "rule";
    /// A user's membership in an organisation.
    MemberId = "mem";
    /// A team.
    TeamId = "team";
    /// A user's membership in a team.
    TeamMemberId = "tm";
    /// A role.
    RoleId = "role";
    /// A binding of a role.
    BindingId = "rb";
    /// A provider of foreign identities.
    ProviderId = "idp";
    /// What a foreign subject becomes.
    FederatedIdentityId = "fid";
    /// An audit record.
    EventId = "evt";
    /// One audit stream: the records of one writer, in order.
    StreamId = "stream";
    /// One request, as told to the caller in errors and kept in the audit log.
    RequestId = "req";
}

#[cfg(test)]
mod tests {
    use super::{KeyId, OrganisationId};
    use proptest::prelude::*;
    use uuid::Uuid;

    proptest! {
        #[test]
        fn parse_and_display_round_trip(bytes: [u8; 16]) {
            let id = KeyId::new(Uuid::from_bytes(bytes));
            prop_assert_eq!(id.to_string().parse::<KeyId>(), Ok(id));
        }

        #[test]
        fn only_the_written_form_is_accepted(text in "(kms-)?[0-9a-wA-W]{24,27}") {
            if let Ok(id) = text.parse::<KeyId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }

    #[test]
    fn a_slug_like_an_identity_names_nothing() {
        let (ours, theirs) = (KeyId::new(Uuid::from_u128(7)), KeyId::new(Uuid::from_u128(8)));
        let (our_name, their_name) = (ours.to_string(), theirs.to_string());
        for (name, slug, wanted) in [
            (our_name.as_str(), "prod", true),
            ("prod", "prod", true),
            ("test", "prod", false),
            (their_name.as_str(), "prod", false),
            (their_name.as_str(), their_name.as_str(), false),
        ] {
            assert_eq!(super::is_named(name, &ours, slug), wanted, "{name} {slug}");
        }
    }

    #[test]
    fn identities_look_like_identities() {
        assert!(super::looks_like_identity(&KeyId::new(Uuid::from_u128(7)).to_string()));
        for other in [
            "prod",
            "prj-1",
            "prj-0000000000000000000000000w",
            "-00000000000000000000000000",
            "a-b-00000000000000000000000000",
        ] {
            assert!(!super::looks_like_identity(other), "{other}");
        }
    }

    #[test]
    fn another_kind_is_refused() {
        let id = KeyId::new(Uuid::from_u128(7)).to_string();
        assert!(id.parse::<OrganisationId>().is_err());
    }
}
