macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in the log.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The one of this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.as_str() == name)
            }
        }
    };
}

named! {
    /// What was done or tried.
    Action {
        /// A secret was created.
        SecretCreate = "secret.create",
        /// A secret's metadata was read.
        SecretRead = "secret.read",
        /// Secrets were listed or browsed.
        SecretList = "secret.list",
        /// A value was revealed.
        SecretValueRead = "secret.value.read",
        /// A version was put.
        SecretValueWrite = "secret.value.write",
        /// An access policy was set or cleared.
        SecretPolicyUpdate = "secret.policy.update",
        /// Description, labels or annotations were changed.
        SecretMetadataUpdate = "secret.metadata.update",
        /// A version was destroyed.
        SecretVersionDestroy = "secret.version.destroy",
        /// A secret was deleted.
        SecretDelete = "secret.delete",
        /// A KMS key was created.
        KmsCreate = "kms.create",
        /// A KMS key was read.
        KmsRead = "kms.read",
        /// KMS keys were listed.
        KmsList = "kms.list",
        /// A KMS key encrypted.
        KmsEncrypt = "kms.encrypt",
        /// A KMS key decrypted.
        KmsDecrypt = "kms.decrypt",
        /// A KMS key was rotated.
        KmsRotate = "kms.rotate",
        /// A KMS key was enabled.
        KmsEnable = "kms.enable",
        /// A KMS key was disabled.
        KmsDisable = "kms.disable",
        /// A token was issued.
        AuthTokenIssue = "auth.token.issue",
        /// A call failed before it was known who calls, or its credentials were refused.
        AuthFailure = "auth.failure",
        /// A store was set up.
        SystemInit = "system.init",
    }
}

named! {
    /// How it ended.
    Outcome {
        /// It was done.
        Success = "success",
        /// A rule, policy or gate forbade it.
        Denied = "denied",
        /// It was allowed, but failed.
        Failure = "failure",
    }
}

named! {
    /// What it was done to.
    ResourceKind {
        /// A secret; its identity is the path.
        Secret = "secret",
        /// A KMS key.
        KmsKey = "kms_key",
        /// An organisation.
        Organisation = "organisation",
    }
}
