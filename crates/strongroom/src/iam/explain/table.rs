//! The permission that each operation takes, and on what.

use super::operations::Beyond::{self, Nothing, PolicyAndKey};
use super::operations::Guard::{self, Any, Key, New, NewSecret, Object, Secret};
use super::operations::{KeyUse, Operation};
use strongroom_domain::audit::Action;
use strongroom_domain::directory::ObjectKind as Kind;
use strongroom_domain::iam::{Permission, ResourceType as Type};
use strongroom_domain::kms::KeyType;
use strongroom_domain::policy::PolicyOperation;

macro_rules! operations {
    ($($action:ident $($permission:ident)|+ on $guard:expr;)*) => {
        pub(super) const OPERATIONS: &[Operation] = &[$(Operation {
            action: Action::$action,
            any_of: &[$(Permission::$permission),+],
            guard: $guard,
        },)*];
    };
}

const REVEAL: Beyond = PolicyAndKey(PolicyOperation::Reveal, Permission::Decrypt);
const PUT: Beyond = PolicyAndKey(PolicyOperation::Put, Permission::Encrypt);
const TEAM: Guard = Object(Type::Team, Kind::Team);
const ACCOUNT: Guard = Object(Type::ServiceAccount, Kind::ServiceAccount);
const MEMBER: Guard = Object(Type::OrganisationMember, Kind::OrganisationMember);
/// By the user's identity; rules name the membership.
const USER: Guard = Object(Type::OrganisationMember, Kind::User);
const ROLE: Guard = Object(Type::OrganisationRole, Kind::Role);
const PROVIDER: Guard = Object(Type::FederatedIdentityProvider, Kind::IdentityProvider);
const FEDERATED: Guard = Object(Type::FederatedIdentity, Kind::FederatedIdentity);
const PROJECT: Guard = Object(Type::Project, Kind::Project);

// A test calls each of them, so that none says another permission than the use case asks for. What takes more than one permission of the
// caller, or none, isn't here.
operations! {
    SecretCreate Create on NewSecret;
    SecretRead Read on Secret(Nothing);
    SecretList List on Any(Type::Secret);
    SecretValueRead GetSecretValue on Secret(REVEAL);
    SecretValueWrite PutSecretValue on Secret(PUT);
    SecretPolicyUpdate Update on Secret(Nothing);
    SecretMetadataUpdate Update on Secret(Nothing);
    SecretVersionDestroy Delete on Secret(Nothing);
    SecretDelete Delete on Secret(Nothing);
    KmsCreate Create on New(Type::KmsKey);
    KmsRead Read on Key(KeyUse::Any);
    KmsList List on Any(Type::KmsKey);
    KmsEncrypt Encrypt | Update on Key(KeyUse::Made(KeyType::encrypts, "encrypt"));
    KmsDecrypt Decrypt | Update on Key(KeyUse::Made(KeyType::encrypts, "decrypt"));
    KmsSign Sign | Update on Key(KeyUse::Made(KeyType::signs, "sign"));
    KmsVerify Verify | Update on Key(KeyUse::Made(KeyType::signs, "verify signatures"));
    KmsHmac Hmac | Update on Key(KeyUse::Made(KeyType::authenticates, "make HMACs"));
    KmsVerifyHmac VerifyHmac | Update on Key(KeyUse::Made(KeyType::authenticates, "verify HMACs"));
    KmsPublicKeyRead Read on Key(KeyUse::Typed(KeyType::has_public_key, "give a public key"));
    KmsWrappingKeyRead Create on New(Type::KmsKey);
    KmsExport Export | Update on Key(KeyUse::Exported);
    KmsRotate Rotate | Update on Key(KeyUse::Rotated);
    KmsRotationUpdate Update on Key(KeyUse::Live);
    KmsDelete Delete on Key(KeyUse::Any);
    KmsCancelDeletion Delete on Key(KeyUse::Any);
    KmsRewrap Update on Key(KeyUse::Active);
    KmsInventoryRead Update on Key(KeyUse::Any);
    KmsRetire Update on Key(KeyUse::Active);
    KmsEnable Delete on Key(KeyUse::Switched(true));
    KmsDisable Delete on Key(KeyUse::Switched(false));
    IamProjectCreate Create on New(Type::Project);
    IamProjectList List on Any(Type::Project);
    IamProjectRead Read on PROJECT;
    IamProjectUpdate Update on PROJECT;
    IamProjectDelete Delete on PROJECT;
    IamUserRead Read on USER;
    IamUserList List on Any(Type::OrganisationMember);
    IamMemberCreate Create on New(Type::OrganisationMember);
    IamMemberList List on Any(Type::OrganisationMember);
    IamMemberUpdate Update on MEMBER;
    IamMemberDelete Delete on MEMBER;
    IamTeamCreate Create on New(Type::Team);
    IamTeamList List on Any(Type::Team);
    IamTeamRead Read on TEAM;
    IamTeamUpdate Update on TEAM;
    IamTeamDelete Delete on TEAM;
    IamTeamMemberCreate Update on TEAM;
    IamTeamMemberDelete Update on TEAM;
    IamServiceAccountCreate Create on New(Type::ServiceAccount);
    IamServiceAccountList List on Any(Type::ServiceAccount);
    IamServiceAccountRead Read on ACCOUNT;
    IamServiceAccountUpdate Update on ACCOUNT;
    IamServiceAccountDelete Delete on ACCOUNT;
    IamAccessCredentialCreate Update on ACCOUNT;
    IamAccessCredentialList Update on ACCOUNT;
    IamAccessCredentialDelete Update on ACCOUNT;
    IamRoleCreate Create on New(Type::OrganisationRole);
    IamRoleList List on Any(Type::OrganisationRole);
    IamRoleRead Read on ROLE;
    IamRoleDelete Delete on ROLE;
    IamRuleCreate Update on ROLE;
    IamRuleDelete Update on ROLE;
    IamBindingCreate Update on ROLE;
    IamBindingList Read on ROLE;
    IamBindingDelete Update on ROLE;
    IamIdentityProviderCreate Create on New(Type::FederatedIdentityProvider);
    IamIdentityProviderList List on Any(Type::FederatedIdentityProvider);
    IamIdentityProviderRead Read on PROVIDER;
    IamIdentityProviderUpdate Update on PROVIDER;
    IamIdentityProviderDelete Delete on PROVIDER;
    IamFederatedIdentityCreate Create on New(Type::FederatedIdentity);
    IamFederatedIdentityList List on Any(Type::FederatedIdentity);
    IamFederatedIdentityRead Read on FEDERATED;
    IamFederatedIdentityUpdate Update on FEDERATED;
    IamFederatedIdentityDelete Delete on FEDERATED;
    AuditRead List | Read on New(Type::AuditLog);
    AuditExport List | Read on New(Type::AuditLog);
}
