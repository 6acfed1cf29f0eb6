//! The wire types of the HTTP API: what requests and answers look like as JSON, with serde and without behaviour. The server
//! and its clients share them.
//!
//! Members are written in camelCase. What isn't set is left out. Times are RFC 3339 in UTC. Types that carry a plaintext have no
//! `Debug` and wipe it when they are dropped.

pub mod audit;
mod encoded;
mod failure;
mod iam;
mod json;
mod kms;
mod oidc;
mod region;
#[cfg(feature = "openapi")]
pub mod schema;
mod secret;
mod system;
mod value;
mod values;

pub use encoded::Encoded;
pub use failure::ErrorBody;
pub use iam::{
    AccessCredential, AppUser, Binding, CreatedAccessCredential, FederatedIdentity, IdentityProvider,
    IssuedPersonalAccessToken, Me, MyOrganisation, NamedFields, NewAccessCredential, NewBinding, NewFederatedIdentity,
    NewIdentityProvider, NewNamed, NewOrganisationMember, NewPersonalAccessToken, NewRule, NewTeamMember, NewUser,
    OrganisationMember, OrganisationMembership, PersonalAccessToken, Role, RoleBinding, Rule, ServiceAccount, Team,
    TeamMember, UpdateFederatedIdentity, UpdateIdentityProvider, UpdateNamed, UpdateOrganisationMember, User,
};
pub use iam::{BoundRole, DeniedCall, Explain, ExplainedRule, Explanation, IdentityAndName, NearMiss, NeededRule};
pub use iam::{NewProject, ParentProject, Project};
pub use json::Json;
pub use kms::{
    CreateKey, CreatedHmac, Decrypt, Decrypted, DeletedKey, Encrypt, Encrypted, ExportKey, ExportedKey, Hmac,
    KeyInventory, KeyInventoryEntry, KmsKey, KmsKeyVersion, KmsSummary, PublicKeys, RegionSummary, RetireKeyVersions,
    Rewrap, Rewrapped, SetRotation, Sign, Signed, Verified, Verify, VerifyHmac, WrappingKey,
};
pub use oidc::{Jwk, JwkSet, OpenidConfiguration, TokenAnswer, TokenErrorBody};
pub use region::Region;
pub use secret::{BrowseResult, CreateSecret, PatchSecret, Secret, SecretKey, SecretVersion, SetPolicy};
pub use system::{
    CreatedOrganisation, Gates, NewOrganisation, NewRegion, PatchOrganisation, RootKeyRotation, RootKeyStatus,
    RotateRootKey, SetGates, SigningKey, SystemOrganisation, SystemRegion, UpdateRegion,
};
pub use value::{GenerateSecret, PutDone, PutValue, RevealValue, SecretValue};
pub use values::{KnownValue, RevealValues, SecretValueItem, SecretValues};
