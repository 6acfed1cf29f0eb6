//! What rules can speak of: types of resources, and permissions on them.

use core::fmt;

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in rules, which is compared exactly.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// Reads the name in rules. `None` for a name that isn't known here, `*` too.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

names! {
    /// A kind of thing that rules guard.
    ResourceType {
        /// Roles, with their rules and bindings.
        OrganisationRole = "organisation_role",
        /// Teams and their members.
        Team = "team",
        /// Service accounts and their credentials.
        ServiceAccount = "service_account",
        /// Members of the organisation.
        OrganisationMember = "organisation_member",
        /// Issuers whose tokens are taken in exchange.
        FederatedIdentityProvider = "federated_identity_provider",
        /// What a foreign subject becomes here.
        FederatedIdentity = "federated_identity",
        /// Projects.
        Project = "project",
        /// The audit log.
        AuditLog = "audit_log",
        /// KMS keys.
        KmsKey = "kms_key",
        /// Secrets, which rules name by path.
        Secret = "secret",
    }
}

names! {
    /// What a rule allows on a resource.
    Permission {
        /// Make a new one.
        Create = "create",
        /// See its metadata.
        Read = "read",
        /// Change it.
        Update = "update",
        /// Remove it.
        Delete = "delete",
        /// Ask for the list; its entries are decided one by one.
        List = "list",
        /// Reveal the value of a secret.
        GetSecretValue = "getSecretValue",
        /// Store a new version of a secret.
        PutSecretValue = "putSecretValue",
        /// Encrypt with a key.
        Encrypt = "encrypt",
        /// Decrypt with a key.
        Decrypt = "decrypt",
        /// Sign with a key.
        Sign = "sign",
        /// Verify a signature with a key.
        Verify = "verify",
        /// Make an HMAC with a key.
        Hmac = "hmac",
        /// Verify an HMAC with a key.
        VerifyHmac = "verify-hmac",
        /// Give a key a new version.
        Rotate = "rotate",
        /// Take a key's material out.
        Export = "export",
    }
}

#[cfg(test)]
mod tests {
    use super::{Permission, ResourceType};

    #[test]
    fn names_are_read_as_they_are_written() {
        for permission in Permission::ALL {
            assert_eq!(Permission::parse(permission.as_str()), Some(*permission));
        }
        for kind in ResourceType::ALL {
            assert_eq!(ResourceType::parse(kind.as_str()), Some(*kind));
        }
        assert_eq!(Permission::parse("*"), None);
        assert_eq!(Permission::parse("Read"), None);
        assert_eq!(ResourceType::parse("secrets"), None);
    }
}
