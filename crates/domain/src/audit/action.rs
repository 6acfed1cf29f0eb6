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
        /// A KMS key was rotated by itself, because it was due.
        KmsRotateScheduled = "kms.rotate.scheduled",
        /// When a KMS key is rotated by itself was changed.
        KmsRotationUpdate = "kms.rotation.update",
        /// A KMS key signed.
        KmsSign = "kms.sign",
        /// A signature was verified.
        KmsVerify = "kms.verify",
        /// A KMS key made an HMAC.
        KmsHmac = "kms.hmac",
        /// An HMAC was verified.
        KmsVerifyHmac = "kms.verify_hmac",
        /// The public part of a KMS key was read.
        KmsPublicKeyRead = "kms.public_key.read",
        /// The public part of the key that wraps imported material was read.
        KmsWrappingKeyRead = "kms.wrapping_key.read",
        /// The material of a KMS key was taken out.
        KmsExport = "kms.export",
        /// The deletion of a KMS key was asked for.
        KmsDelete = "kms.delete",
        /// The deletion of a KMS key was called off.
        KmsCancelDeletion = "kms.cancel_deletion",
        /// A KMS key was removed for good, because its date had come.
        KmsPurge = "kms.purge",
        /// Wrapped data keys were moved to the newest version of a KMS key.
        KmsRewrap = "kms.rewrap",
        /// Which secrets are under a KMS key was read.
        KmsInventoryRead = "kms.inventory.read",
        /// Earlier versions of a KMS key were retired, or taken back into use.
        KmsRetire = "kms.retire",
        /// Which root keys there are was read by the operator.
        SystemRootKeyRead = "system.root_key.read",
        /// The installation's root key was replaced: the beginning (202) and the end (200) of it.
        SystemRootKeyRotate = "system.root_key.rotate",
        /// A KMS key was enabled.
        KmsEnable = "kms.enable",
        /// A KMS key was disabled.
        KmsDisable = "kms.disable",
        /// A token was issued.
        AuthTokenIssue = "auth.token.issue",
        /// A call failed before it was known who calls, or its credentials were refused.
        AuthFailure = "auth.failure",
        /// A project was created.
        IamProjectCreate = "iam.project.create",
        /// Objects of the kind "project" were listed.
        IamProjectList = "iam.project.list",
        /// A project was read.
        IamProjectRead = "iam.project.read",
        /// A project was changed.
        IamProjectUpdate = "iam.project.update",
        /// A project was deleted.
        IamProjectDelete = "iam.project.delete",
        /// A user was created.
        IamUserCreate = "iam.user.create",
        /// A user was read.
        IamUserRead = "iam.user.read",
        /// Objects of the kind "user" were listed.
        IamUserList = "iam.user.list",
        /// A membership was created.
        IamMemberCreate = "iam.member.create",
        /// Objects of the kind "membership" were listed.
        IamMemberList = "iam.member.list",
        /// A membership was changed.
        IamMemberUpdate = "iam.member.update",
        /// A membership was deleted.
        IamMemberDelete = "iam.member.delete",
        /// A team was created.
        IamTeamCreate = "iam.team.create",
        /// Objects of the kind "team" were listed.
        IamTeamList = "iam.team.list",
        /// A team was read.
        IamTeamRead = "iam.team.read",
        /// A team was changed.
        IamTeamUpdate = "iam.team.update",
        /// A team was deleted.
        IamTeamDelete = "iam.team.delete",
        /// A member of a team was created.
        IamTeamMemberCreate = "iam.team_member.create",
        /// A member of a team was deleted.
        IamTeamMemberDelete = "iam.team_member.delete",
        /// A service account was created.
        IamServiceAccountCreate = "iam.service_account.create",
        /// Objects of the kind "service account" were listed.
        IamServiceAccountList = "iam.service_account.list",
        /// A service account was read.
        IamServiceAccountRead = "iam.service_account.read",
        /// A service account was changed.
        IamServiceAccountUpdate = "iam.service_account.update",
        /// A service account was deleted.
        IamServiceAccountDelete = "iam.service_account.delete",
        /// An access credential was created.
        IamAccessCredentialCreate = "iam.access_credential.create",
        /// Objects of the kind "access credential" were listed.
        IamAccessCredentialList = "iam.access_credential.list",
        /// An access credential was deleted.
        IamAccessCredentialDelete = "iam.access_credential.delete",
        /// A role was created.
        IamRoleCreate = "iam.role.create",
        /// Objects of the kind "role" were listed.
        IamRoleList = "iam.role.list",
        /// A role was read.
        IamRoleRead = "iam.role.read",
        /// A role was deleted.
        IamRoleDelete = "iam.role.delete",
        /// A rule of a role was created.
        IamRuleCreate = "iam.rule.create",
        /// A rule of a role was deleted.
        IamRuleDelete = "iam.rule.delete",
        /// A binding was created.
        IamBindingCreate = "iam.binding.create",
        /// Objects of the kind "binding" were listed.
        IamBindingList = "iam.binding.list",
        /// A binding was deleted.
        IamBindingDelete = "iam.binding.delete",
        /// A provider of foreign identities was created.
        IamIdentityProviderCreate = "iam.identity_provider.create",
        /// Objects of the kind "provider of foreign identities" were listed.
        IamIdentityProviderList = "iam.identity_provider.list",
        /// A provider of foreign identities was read.
        IamIdentityProviderRead = "iam.identity_provider.read",
        /// A provider of foreign identities was changed.
        IamIdentityProviderUpdate = "iam.identity_provider.update",
        /// A provider of foreign identities was deleted.
        IamIdentityProviderDelete = "iam.identity_provider.delete",
        /// A federated identity was created.
        IamFederatedIdentityCreate = "iam.federated_identity.create",
        /// Objects of the kind "federated identity" were listed.
        IamFederatedIdentityList = "iam.federated_identity.list",
        /// A federated identity was read.
        IamFederatedIdentityRead = "iam.federated_identity.read",
        /// A federated identity was changed.
        IamFederatedIdentityUpdate = "iam.federated_identity.update",
        /// A federated identity was deleted.
        IamFederatedIdentityDelete = "iam.federated_identity.delete",
        /// A personal access token was created.
        IamPersonalTokenCreate = "iam.personal_token.create",
        /// Objects of the kind "personal access token" were listed.
        IamPersonalTokenList = "iam.personal_token.list",
        /// A personal access token was deleted.
        IamPersonalTokenDelete = "iam.personal_token.delete",
        /// It was asked why something is allowed or denied.
        IamExplain = "iam.explain",
        /// A token of another issuer was exchanged.
        AuthTokenExchange = "auth.token.exchange",
        /// An organisation was created by the operator.
        SystemOrganisationCreate = "system.organisation.create",
        /// Organisations were read by the operator.
        SystemOrganisationRead = "system.organisation.read",
        /// An organisation or its gates were changed by the operator.
        SystemOrganisationUpdate = "system.organisation.update",
        /// A region was added by the operator.
        SystemRegionCreate = "system.region.create",
        /// Regions were read by the operator.
        SystemRegionRead = "system.region.read",
        /// A region was changed by the operator.
        SystemRegionUpdate = "system.region.update",
        /// The key that signs access tokens was rotated by the operator.
        SystemSigningKeyRotate = "system.signing_key.rotate",
        /// An owner token was issued at the server, with the root key.
        SystemRecover = "system.recover",
        /// A store was set up.
        SystemInit = "system.init",
        /// The audit log was searched.
        AuditRead = "audit.read",
        /// The audit log of an organisation was taken out.
        AuditExport = "audit.export",
        /// Records that were too old were removed.
        AuditRetention = "audit.retention",
        /// How the audit log stands, or its checkpoints, were read by the operator.
        SystemAuditRead = "system.audit.read",
        /// The whole audit log was taken out by the operator.
        SystemAuditExport = "system.audit.export",
        /// The audit log was verified by the operator.
        SystemAuditVerify = "system.audit.verify",
        /// The key that signs the audit log was rotated by the operator.
        SystemAuditKeyRotate = "system.audit_key.rotate",
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
        /// A user.
        User = "user",
        /// A user's membership in an organisation.
        OrganisationMember = "organisation_member",
        /// A team.
        Team = "team",
        /// A service account.
        ServiceAccount = "service_account",
        /// An access credential of a service account.
        AccessCredential = "access_credential",
        /// A role.
        OrganisationRole = "organisation_role",
        /// A provider of foreign identities.
        IdentityProvider = "federated_identity_provider",
        /// A federated identity.
        FederatedIdentity = "federated_identity",
        /// A personal access token.
        PersonalToken = "personal_access_token",
        /// A project.
        Project = "project",
        /// A region.
        Region = "region",
        /// A key of the installation.
        InstanceKey = "instance_key",
        /// The audit log.
        AuditLog = "audit_log",
    }
}
